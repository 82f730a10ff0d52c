# SPDX-License-Identifier: GPL-2.0-only
"""Annotations of functions: what a declaration says of the locks that its function needs, takes and drops.

In: the declarations of `void f(struct kvm *kvm) __must_hold(&kvm->lock);`. Out: a `Claim` where `f()` begins; for a
function without a body, the claims alone.

A lock is an expression over the parameters of the declaration that it stands in, whatever the definition calls them. A
word that nothing declares (`RCU`) is a lock that a specification knows.

**Source:** Linux include/linux/compiler_types.h (sparse's words), include/linux/compiler-context-analysis.h (v6.19);
Clang, Thread Safety Analysis (attributes).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from pycparser import c_ast

from analyzer.frontend.index import ParseError
from analyzer.frontend.parser import GnuParser
from analyzer.frontend.types import Entry, Types, annotations_of
from analyzer.frontend.types_scalars import decay
from analyzer.ir.claims import Asked, Statement, negated
from analyzer.ir.function import Claim, Formal
from analyzer.ir.types import Record
from analyzer.ir.values import AddressOf, Constant, Parameter, Text, Value
from analyzer.lower.claims import QUESTION, evaluate_aside
from analyzer.lower.context import Lowering


class _Word(NamedTuple):
    """What an attribute means."""

    form: str
    #: `held`, `unheld`, `acquired`, `released`, or `unchecked`
    says: str
    #: in which mode: as the end of a question's name
    mode: str = ""
    #: the first argument is the value that tells of success
    tried: bool = False


_WORDS = {
    "requires_capability": _Word("__must_hold", "held", "_write"),
    "requires_shared_capability": _Word("__must_hold_shared", "held"),
    "lockspec_must_hold": _Word("__must_hold", "held"),
    "locks_excluded": _Word("__must_not_hold", "unheld"),
    "acquire_capability": _Word("__acquires", "acquired", "_write"),
    "acquire_shared_capability": _Word("__acquires_shared", "acquired", "_read"),
    "lockspec_acquires": _Word("__acquires", "acquired"),
    "try_acquire_capability": _Word("__cond_acquires", "acquired", "_write", tried=True),
    "try_acquire_shared_capability": _Word("__cond_acquires_shared", "acquired", "_read", tried=True),
    "lockspec_try_acquires": _Word("__cond_acquires", "acquired", tried=True),
    "release_capability": _Word("__releases", "released", "_write"),
    "release_shared_capability": _Word("__releases_shared", "released", "_read"),
    "release_generic_capability": _Word("__releases", "released"),
    "lockspec_releases": _Word("__releases", "released"),
    "no_thread_safety_analysis": _Word("__no_context_analysis", "unchecked"),
}
#: sparse's attribute, by how often the lock is held before and after
_COUNTS = {
    (1, 1): _WORDS["lockspec_must_hold"],
    (0, 1): _WORDS["lockspec_acquires"],
    (1, 0): _WORDS["lockspec_releases"],
    (0, -1): _WORDS["lockspec_try_acquires"],
}
#: words for a value that is 0
_NOTHING = frozenset({"false", "NULL"})
_parser = GnuParser()


def claim_by_annotations(low: Lowering, decl: Any, parameters: tuple[Formal, ...]) -> None:
    """Emit, where the function of `decl` begins, what the annotations of all its declarations claim."""
    found = list(_claims(low, decl, decl))
    for prototype in _prototypes(low.types, decl.name):
        with_names = _enter(low, prototype, parameters)
        found += _claims(low, prototype, decl) if with_names else ()
        low.types.names.pop()
    for claim in dict.fromkeys(found):
        low.flow.emit(claim)


def annotated(types: Types, name: str) -> tuple[Claim, ...]:
    """Return what the declarations of a function without a body claim; its parameters have numbers for names."""
    found: list[Claim] = []
    for prototype in _prototypes(types, name):
        low = Lowering(types, name, prototype.coord.line)
        if _enter(low, prototype, None):
            found += _claims(low, prototype, prototype)
        types.names.pop()
    return tuple(dict.fromkeys(claim for claim in found if not claim.before))


def _prototypes(types: Types, name: str) -> Iterator[Any]:
    for declaration in types.outside.annotated(name):
        for node in types.outside.table.parse(declaration):
            if type(node) is c_ast.Decl and node.name == name and type(node.type) is c_ast.FuncDecl:
                yield node


def _enter(low: Lowering, decl: Any, parameters: tuple[Formal, ...] | None) -> bool:
    """Enter a scope with the parameters as `decl` names them; False if they cannot be those of the definition.

    They are `parameters`; without a definition, their names are their numbers.
    """
    low.types.names.push()
    nodes = decl.type.args.params if decl.type.args is not None else ()
    given = [node for node in nodes if type(node) is not c_ast.EllipsisParam]
    for index, node in enumerate(given):
        name = getattr(node, "name", None)
        if name is None or type(node) is c_ast.ID:
            continue
        own = str(index) if parameters is None else parameters[index].name if index < len(parameters) else ""
        if not own:
            return False
        low.types.names.declare(name, Entry("variable", decay(low.types.build(node.type)), Parameter(index, own)))
    return True


def _claims(low: Lowering, decl: Any, place: Any) -> Iterator[Claim]:
    """Yield what the annotations of `decl` claim; whatever cannot be read is no claim."""
    for name, text in annotations_of(decl):
        arguments = _parsed(text)
        word = _WORDS.get(name)
        if name == "context" and len(arguments) == 3:
            counts = tuple(low.types.constant(node) for node in arguments[1:])
            word, arguments = _COUNTS.get((counts[0] or 0, counts[1] or 0)), arguments[:1]
        if word is None:
            continue
        if word.says == "unchecked":
            yield Claim(word.form, Asked(f"{QUESTION}{word.says}"), low.at(place))
            continue
        test: tuple[Value, ...] = ()
        if word.tried:
            test = _success(low, arguments[0]) if len(arguments) > 1 else (Text("!="), Constant(0))
            arguments = arguments[1:] if len(arguments) > 1 else arguments
        for node in arguments if not any(map(_casts, arguments)) else ():
            yield from _about(low, word, node, test, place)


def _about(low: Lowering, word: _Word, node: Any, test: tuple[Value, ...], place: Any) -> Iterator[Claim]:
    """Yield what `word` claims of the lock that the expression `node` is."""

    def asked(question: str) -> Statement | None:
        lock = _lock(low, node)
        if question.startswith("held") and isinstance(lock, Text):
            return Asked(lock.value)
        return Asked(f"{QUESTION}{question}", (lock, *test))

    questions = {"held": ["held"], "unheld": ["held"], "released": ["held", "released"], "acquired": ["acquired"]}
    for question in questions[word.says]:
        n_unknown = len(low.types.unknown)
        statement, before = evaluate_aside(low, partial(asked, question + word.mode))
        del low.types.unknown[n_unknown:]
        if statement is not None:
            claimed = negated(statement) if word.says == "unheld" else statement
            yield Claim(word.form, claimed, low.at(place), before)


def _lock(low: Lowering, node: Any) -> Value:
    """Return the lock: where the expression points, or is, if it is a record; or a name that nothing declares."""
    if (
        type(node) is c_ast.ID
        and node.name not in low.types.names.ordinary
        and low.types.declaration(node.name) is None
    ):
        return Text(node.name)
    value, ctype = low.value(node)
    return AddressOf(low.place(node)[0]) if isinstance(ctype, Record) else value


def _casts(node: Any) -> bool:
    """Tell whether an expression takes a pointer for another one, as guards do: which lock that is, only they know."""
    return type(node) is c_ast.Cast or any(_casts(child) for _, child in node.children())


def _success(low: Lowering, node: Any) -> tuple[Value, ...]:
    """Return the test that the value of a successful call passes."""
    nothing = low.types.constant(node) == 0 or (type(node) is c_ast.ID and node.name in _NOTHING)
    return Text("==" if nothing else "!="), Constant(0)


def _parsed(text: str) -> list[Any]:
    """Parse the arguments of an annotation; none if they are no expressions."""
    if not text:
        return []
    try:
        (node,) = _parser.parse_declaration(f"void f(void) {{ ({text}); }}", lambda _: False)
    except (ParseError, ValueError):
        return []
    said = node.body.block_items or []
    return list(said[0].exprs) if said and type(said[0]) is c_ast.ExprList else said
