# SPDX-License-Identifier: GPL-2.0-only
"""Symbolic terms: what a value or an object is, relative to the entry of one function.

In: IR values. Out: terms, nested tuples whose first element tells their kind. `&kvm->slots_lock` with `kvm` the first
parameter is `("ad", ("F", ("O", ("P", 0)), "kvm", "slots_lock"))`.

Objects ("locations"):
  ("G", name)                   global variable
  ("L", name)                   local variable's own storage
  ("O", pointer)                what the pointer term points to
  ("F", object, record, member) member of an object
  ("I", object, index)          element of an array
  ("C", object, record, member) the record that holds the object as this member
Values:
  ("k", n) constant; ("t",) string; ("fn", name) function; ("P", i) parameter at entry; ("ad", object) address;
  ("ld", object, epoch) contents, `epoch` 0 as at entry; ("w", function, object) what `function` reads from the object;
  ("pc", function id, argument, …) what a function without side effects computes from its arguments and memory;

  ("un", op, a), ("op", op, a, b); ("r", block, event) result of a call; ("phi", block, name) merged value;
  ("agg", ((record, member), value), …) a struct value; members not listed are zero, unless REST is;
  ("m", value, record, member) member of a struct value;
  ("in", object, which) the address of something inside the object, or NULL; `which` tells one such from another
  ("told", function) what the function tells of locks without an object, nonzero if one is held;
  ("choice", record) which of the tables of operations of this type is in use;
  ("ret", n) in a summary: the value returned (n = 0), or one that the function stored for its caller;
  ("?", block, event) not modelled; ("fix", term, n) a value of an earlier loop pass

**Invariant:** terms are hashable, contain no mutable value, and equal terms denote equal values within one path.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

Term = tuple[Any, ...]

#: deeper terms are cut: loops that walk a structure would grow them without bound
MAX_DEPTH = 24

#: kinds of terms
CHOICE, TOLD = "choice", "told"
ZERO: Term = ("k", 0)
#: a member of a returned struct that callers know nothing of
OPEN: Term = ("?", -1, "open")
#: stands in a struct value for the members that it does not list; without it, they are zero
REST = ("", "")


def pointee(pointer: Term) -> Term:
    """Return the object that `pointer` points to."""
    if pointer[0] == "ad":
        inner: Term = pointer[1]
        return inner
    return ("O", pointer)


def member(obj: Term, record: str, name: str) -> Term:
    """Return member `name` of the object seen as `record`."""
    if obj[0] == "C" and obj[2] == record and obj[3] == name:
        inner: Term = obj[1]
        return inner
    return ("F", obj, record, name)


def element(obj: Term, index: Term) -> Term:
    """Return the pointer that is found in the container `obj` under `index`."""
    return ("ld", ("I", obj, index), 0)


def container_of_element(value: Term) -> Term | None:
    """Return the container that the pointer `value` was found in; None for any other value."""
    value = now(value)
    if value[0] == "ld" and value[1][0] == "I" and (value[1][2][0] in ("r", "phi") or value[1][2] == OPEN):
        return value[1][1]  # type: ignore[no-any-return]
    return None


def common_container(values: Iterable[Term]) -> Term | None:
    """Return the container that each of `values` was found in, unless it is NULL; None if there is no such."""
    found = {container_of_element(value) for value in values if value != ZERO}
    return found.pop() if len(found) == 1 else None


def inside(values: Iterable[Term]) -> Term | None:
    """Return the innermost object that each of `values` is an address inside of, unless it is NULL; None without one."""
    ways = [list(_outwards(value)) for value in values if value != ZERO]
    if not ways:
        return None
    return next((obj for obj in ways[0] if all(obj in way for way in ways)), None)


def _outwards(value: Term) -> Iterable[Term]:
    """Yield what the address `value` lies in, the innermost first."""
    if value[0] not in ("ad", "in"):
        return
    obj = value[1]
    yield obj
    while obj[0] in ("F", "I"):
        obj = obj[1]
        yield obj


def one_address(one: Term, other: Term, phi: Term) -> Term:
    """Return what is one of two addresses, as far as they have something in common; `phi` stands for the rest."""
    element_ = common_array(one, other, phi) if one[0] == other[0] == "ad" else None
    obj = inside((one, other)) if element_ is None else None
    return element_ or (phi if obj is None else ("in", obj, phi))


def common_array(one: Term, other: Term, phi: Term) -> Term | None:
    """Return what is the address of one or another element of an array, or of the same member of either.

    Which element it is, `phi` stands for; None if the two addresses differ in anything else.
    """
    if one[0] == other[0] and one[0] in ("ad", "F", "I") and one[2:] == other[2:]:
        inner = common_array(one[1], other[1], phi)
        if inner is not None:
            return (one[0], inner, *one[2:])
    if "I" not in (one[0], other[0]):
        return None
    if one[0] == other[0] and one[1] == other[1]:
        return ("I", one[1], phi)
    # the array itself is its first element; a pointer that goes on from an element is that one's element
    array = _array(one)
    return ("I", array, phi) if array == _array(other) else None


def _array(obj: Term) -> Term:
    """Return the array that `obj` is an element of, as far out as it goes."""
    while obj[0] == "I":
        obj = obj[1]
    return obj


def common_list(one: Term, other: Term) -> Term | None:
    """Return the record that holds the list that both are on, unless one is NULL.

    Known are lists of nodes that lie inside what is listed: the address of the record around a node, the node being
    reached from the list's head by the links of nodes alone.
    """
    one, other = now(one), now(other)
    if one[0] == other[0] == "ad" and one[1][2:] != other[1][2:]:
        return None
    head, same = _list_of(one), _list_of(other)
    if ZERO in (one, other):
        return head or same
    if head is None or same is None or head == same:
        return head if same is not None else None
    # the head's own link may be of another kind than those of nodes
    for first, later, found in ((one, same, head), (other, head, same)):
        if first[0] == "ad" and later == first[1][1]:
            return found
    return None


def now(value: Term) -> Term:
    """Return `value` without a note of the loop pass that it was found in."""
    while value[0] == "fix":
        value = value[1]
    return value


def _list_of(value: Term) -> Term | None:
    """Return the record whose link leads to the node that `value` is the record around, over links of one kind."""
    found_in = container_of_element(value)
    if found_in is not None:
        return found_in
    if value[0] != "ad" or value[1][0] != "C":
        return None
    link = _link(value[1][1])
    while link is not None and (before := _link(link[1])) is not None and before[2:] == link[2:]:
        link = before
    if link is None:
        return None
    holder: Term = link[1]
    if holder[0] == "F" and holder[2:] == value[1][2:] and holder[1][0] == "O":
        return container_of_element(holder[1][1]) or holder
    return holder


def _link(node: Term) -> Term | None:
    """Return the member that holds the pointer to `node`."""
    return node[1][1] if node[0] == "O" and node[1][0] == "ld" and node[1][1][0] == "F" else None


def maybe_cleared(one: Term, other: Term, phi: Term) -> Term:
    """Return what is `one` or `other`: where one of them is the other without some bits, the rest of the bits is known.

    `x` or `x & m` is `x & (m | …)`; of what else meets, no more is known than `phi` says.
    """
    for whole, part_ in ((one, other), (other, one)):
        if part_[0] == "op" and part_[1] == "&" and part_[2] == whole:
            mask = part_[3]
            if mask[0] == "k":
                return ("op", "&", whole, ("op", "|", mask, phi))
            if mask[0] == "op" and mask[3] == phi:
                return part_
    return phi


def container(obj: Term, record: str, name: str) -> Term:
    """Return the record of which `obj` is member `name`, or an element of it.

    Subtracting the member's offset from the address of an element is meant to end where a record begins: with the right
    index it does, and with another one C gives it no meaning. So which element it is makes no difference.
    """
    obj = _array(obj)
    if obj[0] == "F" and obj[2] == record and obj[3] == name:
        inner: Term = obj[1]
        return inner
    return ("C", obj, record, name)


def part(value: Term, record: str, name: str) -> Term:
    """Return member `name` of the struct value `value`."""
    if value == ZERO:
        return ZERO
    if value[0] == "agg":
        return next((known for key, known in value[1:] if key in ((record, name), REST)), ZERO)
    if value[0] == "ld":
        # as it was when the value was read
        return ("ld", member(value[1], record, name), value[2])
    return ("m", value, record, name)


def address(obj: Term) -> Term:
    """Return the address of `obj`."""
    if obj[0] == "O":
        inner: Term = obj[1]
        return inner
    return ("ad", obj)


def root(term: Term) -> Term:
    """Return the innermost term that `term` is built on by member access, dereference and loads."""
    while term[0] in ("O", "F", "I", "C", "ad", "ld", "fix", "m", "in"):
        term = term[1]
    if term[0] == "w":
        return root(term[2])
    return term


def depth(term: Term) -> int:
    """Count the nesting of `term` along its spine."""
    n = 0
    while term[0] in ("O", "F", "I", "C", "ad", "ld", "fix", "m", "in"):
        term, n = term[1], n + 1
    return n


def size(term: Term) -> int:
    """Count the terms in `term`, itself included."""
    n = 1
    for part in term:
        if type(part) is tuple:
            n += size(part)
    return n


def contains(term: Term, test: Callable[[Term], bool]) -> bool:
    """Tell whether `test` holds for `term` or any term inside it."""
    if test(term):
        return True
    for part in term:  # noqa: SIM110 — asked for very often, and a generator takes twice as long
        if type(part) is tuple and contains(part, test):
            return True
    return False


@lru_cache(1 << 16)
def is_entry_term(term: Term) -> bool:
    """Tell whether `term` means the same to a caller: parameters, globals, constants and memory as at entry.

    What lies behind one pointer twice (`owner->owner`) counts as nothing that a caller knows: recursion would go on.
    """
    kind = term[0]
    if kind in ("r", "phi", "?", "L", "fix"):
        return term == OPEN
    if kind == "ld" and (term[2] != 0 or _goes_round(term)):
        return False
    return all(is_entry_term(part) for part in term[1:] if isinstance(part, tuple))


def replaced(term: Term, names: Mapping[Term, Term]) -> Term:
    """Return `term` with the terms inside it that have a name there replaced by it."""
    if not names:
        return term
    name = names.get(term)
    if name is not None:
        return name
    return tuple(replaced(part, names) if isinstance(part, tuple) else part for part in term)


def _goes_round(loaded: Term) -> bool:
    """Tell whether the way to what is loaded goes through the same member already."""
    wanted, term = loaded[1], loaded[1]
    if wanted[0] != "F":
        return False
    while term[0] in ("O", "F", "I", "C", "ad", "ld", "m"):
        term = term[1]
        if term[0] == "ld" and term[1][0] == "F" and term[1][2:] == wanted[2:]:
            return True
    return False


def is_lasting(term: Term) -> bool:
    """Tell whether `term` means the same in each pass of a loop."""
    return not contains(term, lambda t: t[0] in ("r", "phi", "?", "fix"))


def is_stable(term: Term) -> bool:
    """Tell whether `term` names one definite value: no merge of several, nothing unmodelled, no earlier loop pass."""
    return not contains(term, lambda t: t[0] in ("phi", "?", "fix"))


def thaw(value: Any) -> Any:  # noqa: ANN401 — a decoded term has no narrower type
    """Turn the lists of a decoded term back into tuples."""
    return tuple(thaw(part) for part in value) if isinstance(value, list) else value


def spell(term: Term, parameters: tuple[str, ...] = ()) -> str:
    """Spell `term` for people, as C would: `kvm->slots_lock`."""
    kind = term[0]
    if kind == "P":
        return parameters[term[1]] if term[1] < len(parameters) and parameters[term[1]] else f"argument {term[1] + 1}"
    if kind in ("G", "L", "fn"):
        return str(term[1])
    if kind == "k":
        return str(term[1])
    if kind == "ad":
        return f"&{spell(term[1], parameters)}"
    if kind in ("ld", "fix"):
        return spell(term[1], parameters)
    if kind == "O":
        return f"*{spell(term[1], parameters)}"
    if kind == "F":
        inner = term[1]
        if inner[0] == "O":
            return f"{spell(inner[1], parameters)}->{term[3]}"
        return f"{spell(inner, parameters)}.{term[3]}"
    if kind == "m":
        return f"{spell(term[1], parameters)}.{term[3]}"
    if kind == "I":
        return f"{spell(term[1], parameters)}[]"
    if kind == "in":
        return f"a pointer into {spell(term[1], parameters)}"
    if kind == "C":
        return f"container_of({spell(term[1], parameters)}, {term[2]}, {term[3]})"
    if kind == TOLD:
        return f"{term[1]}()"
    if kind == CHOICE:
        return f"the {term[1]} in use"
    if kind == "w":
        return f"{term[1]}(&{spell(term[2], parameters)})"
    return "…"
