# SPDX-License-Identifier: GPL-2.0-only
"""Types of DWARF as far as the cross-check asks: where pointers lie in a variable, which members a record has.

In: DIEs. Out: `Leaf(".exits[3].handler", 72)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from elftools.dwarf.die import DIE

from analyzer.binary.model import Leaf

_TRANSPARENT = frozenset(
    {"DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_atomic_type", "DW_TAG_restrict_type"}
)
_RECORDS = frozenset({"DW_TAG_structure_type", "DW_TAG_union_type"})
#: more pointers in one variable than this are an array nobody initialises by hand
_MAX_LEAVES = 100_000


def pointers(variable: DIE) -> tuple[Leaf, ...]:
    """List the pointers in `variable`, in order of their offsets."""
    leaves: list[Leaf] = []
    for leaf in _leaves(_type(variable), "", 0):
        leaves.append(leaf)
        if len(leaves) == _MAX_LEAVES:
            break
    return tuple(sorted(leaves, key=lambda leaf: (leaf.offset, leaf.path)))


def has_member(record: DIE, names: tuple[str, ...]) -> bool:
    """Tell whether `names` lead from member to member inside `record`."""
    if not names:
        return True
    for member in _members(record):
        inner = _type(member)
        if "DW_AT_name" not in member.attributes:
            if inner is not None and inner.tag in _RECORDS and has_member(inner, names):
                return True
        elif member.attributes["DW_AT_name"].value.decode() == names[0]:
            while inner is not None and inner.tag == "DW_TAG_array_type":
                inner = _type(inner)
            return len(names) == 1 or (inner is not None and inner.tag in _RECORDS and has_member(inner, names[1:]))
    return False


def _leaves(die: DIE | None, path: str, offset: int) -> Iterator[Leaf]:
    if die is None:
        return
    if die.tag == "DW_TAG_pointer_type":
        yield Leaf(path, offset)
    elif die.tag in _RECORDS:
        for member in _members(die):
            place = member.attributes.get("DW_AT_data_member_location")
            name = member.attributes.get("DW_AT_name")
            inner = path if name is None else f"{path}.{name.value.decode()}"
            yield from _leaves(_type(member), inner, offset + (place.value if place is not None else 0))
    elif die.tag == "DW_TAG_array_type":
        yield from _elements(die, path, offset)


def _elements(array: DIE, path: str, offset: int) -> Iterator[Leaf]:
    element = _type(array)
    size = _size(element)
    if size:
        counts = [_count(child) for child in array.iter_children() if child.tag == "DW_TAG_subrange_type"]
        if next(_leaves(element, path, offset), None) is not None:
            yield from _nested(element, size, counts, path, offset)


def _nested(element: DIE | None, size: int, counts: list[int], path: str, offset: int) -> Iterator[Leaf]:
    if not counts:
        yield from _leaves(element, path, offset)
        return
    stride = size
    for count in counts[1:]:
        stride *= count
    for index in range(counts[0]):
        yield from _nested(element, size, counts[1:], f"{path}[{index}]", offset + index * stride)


def _count(subrange: DIE) -> int:
    attributes = subrange.attributes
    if "DW_AT_count" in attributes:
        return int(attributes["DW_AT_count"].value)
    bound = attributes.get("DW_AT_upper_bound")
    return int(bound.value) + 1 if bound is not None and isinstance(bound.value, int) else 0


def _size(die: DIE | None) -> int:
    if die is None:
        return 0
    if die.tag == "DW_TAG_array_type":
        size = _size(_type(die))
        for child in die.iter_children():
            size *= _count(child)
        return size
    found = die.attributes.get("DW_AT_byte_size")
    return 8 if die.tag == "DW_TAG_pointer_type" else 0 if found is None else int(found.value)


def _members(record: DIE) -> Iterator[DIE]:
    return (child for child in record.iter_children() if child.tag == "DW_TAG_member")


def _type(die: DIE) -> DIE | None:
    """Return the type of `die` without names and qualifiers; None for void."""
    while "DW_AT_type" in die.attributes:
        die = die.get_DIE_from_attribute("DW_AT_type")
        if die.tag not in _TRANSPARENT:
            return die
    return None
