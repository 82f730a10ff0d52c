# SPDX-License-Identifier: GPL-2.0-only
"""What a primitive does, as specifications spell it.

In: `{effect: acquire, lock: arg 0, when: return == 0}`. Out: `Effect(kind="acquire", …)`.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from analyzer.base.errors import SpecError
from analyzer.spec.effect import AccessMode, Effect, EffectKind, LockAbstract, LockArgument, LockSource, Waits
from analyzer.spec.expressions import (
    ARGUMENT_PATTERN,
    BITS_PATTERN,
    FACT_PATTERN,
    LOCK_PATTERN,
    RETURN_PATTERN,
    SETS_PATTERN,
    parse_argument,
    parse_bits,
    parse_fact,
    parse_lock,
    parse_return_test,
    parse_sets,
)
from analyzer.spec.mapping import Fields, Key, Map
from analyzer.spec.shapes import READ_WRITE, Choice, Flag, ListOf, Parsed, Schema
from analyzer.spec.tree import MapNode, Node, describe

#: groups of keys of which exactly one is given
Groups = tuple[tuple[str, ...], ...]

_WAITS: Choice[Waits] = Choice("sleep", "spin", "none")
_ACCESS: Choice[AccessMode] = Choice("read", "write", "any")
_KIND: Choice[EffectKind] = Choice(
    "acquire", "release", "wait", "sleep", "establish", "allocate", "free", "publish", "access", "tell", "assert"
)
_ARGUMENT = Parsed("arg 0, arg 1, …", parse_argument, ARGUMENT_PATTERN)
_ABSTRACT = r"[a-z][a-z0-9_]*"


class Defaults(Struct, frozen=True):
    """What the file says for all its rows."""

    waits: Waits = "none"
    atomic: bool = False


def _parse_lock(text: str) -> LockSource:
    if text.split()[:1] == ["arg"]:
        return parse_lock(text)
    if not re.fullmatch(_ABSTRACT, text):
        raise ValueError
    return LockAbstract(text)


def _parse_context(text: str) -> str:
    if not re.fullmatch(_ABSTRACT, text):
        raise ValueError
    return text


EFFECT = Key("effect", _KIND, "what the call does", required=True)
SOURCE_OF_LOCK = Parsed(
    "arg 0 (what the argument points to), arg 0->record.member, or the name of a lock that is no object (rcu)",
    _parse_lock,
    f"{LOCK_PATTERN}|{_ABSTRACT}",
)
LOCK = Key("lock", SOURCE_OF_LOCK, "the lock", required=True)
MODE = Key("mode", READ_WRITE, "shared or exclusive; absent: write", default="write")
RECURSIVE = Key("recursive", Flag(), "the holder may acquire it again", default=False)
WHEN = Key("when", Parsed("return == 0, return != 0, …", parse_return_test, RETURN_PATTERN), "on which return value")
SETS = Key("sets", Parsed("arg 5 == 0", parse_sets, SETS_PATTERN), "what the call leaves there if it does so")
WAITS = Key("waits", _WAITS, "how the caller waits; absent: as the family says, none for an attempt")
ATTEMPT = Key("attempt", Flag(), "a try: fails rather than waits", default=False)
NESTS = Key("nests", Flag(), "each acquisition is released by itself; absent: true", default=True)
ATOMIC = Key("atomic", Flag(), "its holder must not sleep; absent: as the family says")
BITS = Key("bits", Parsed("arg 1 & 0x400", parse_bits, BITS_PATTERN), "only if the argument has one of these bits")
FACT = Key("fact", Parsed("f(arg 0) == 0", parse_fact, FACT_PATTERN), "the predicate that is true now", required=True)
OBJECT = Key("object", _ARGUMENT, "the object: what the argument points to", required=True)
ACCESS = Key("access", _ACCESS, "what is done to the object", required=True)
KEEPS = Key("keeps", ListOf(_ARGUMENT, "arguments"), "arguments that live on in the object", default=())

FINDS = Key("finds", Flag(), "the value returned is something that was kept in the object", default=False)
INSIDE = Key("inside", SOURCE_OF_LOCK, "a lock that the call holds meanwhile")
AFTER = Key(
    "after", ListOf(SOURCE_OF_LOCK, "locks"), "whose holders are waited for before; absent: at once", default=()
)
LAST = Key("last", Flag(), "nobody else has a reference to the object any more; absent: false", default=False)
PROMISED = Key("promised", Flag(), "false: the call may return at once; absent: true", default=True)
CONTEXTS = Key(
    "contexts",
    ListOf(Parsed("the name of a context (preempt_off)", _parse_context, _ABSTRACT), "contexts"),
    "contexts that are waited for like holders of the lock",
    default=(),
)

HOW = Key("mode", _ACCESS, "how it is held: read is for reading only; absent: any", default="any")
ANY_ATOMIC = Key("atomic", Flag(), "any lock whose holder must not sleep will do as well", default=False)

#: the keys of each effect, beside `effect` itself
_KEYS: dict[EffectKind, tuple[Key[Any], ...]] = {
    "acquire": (LOCK, MODE, RECURSIVE, WHEN, WAITS, ATTEMPT, ATOMIC, NESTS, SETS),
    "release": (LOCK, MODE, WHEN, NESTS, SETS),
    "wait": (LOCK, CONTEXTS, PROMISED),
    "sleep": (BITS,),
    "establish": (FACT, WHEN, LAST),
    "allocate": (WHEN, KEEPS),
    "free": (OBJECT, WHEN, AFTER, CONTEXTS),
    "publish": (OBJECT, WHEN),
    "access": (OBJECT, ACCESS, WHEN, KEEPS, FINDS, INSIDE),
    "tell": (LOCK, HOW, ANY_ATOMIC),
    "assert": (LOCK, HOW),
}


def read_effect(
    node: Node, defaults: Defaults, outer: tuple[Key[Any], ...] = (), one_of: Groups = ()
) -> tuple[Fields, Effect]:
    """Read the effect in `node`, where the keys in `outer` may stand too."""
    kind = _kind_of(node)
    keys = _KEYS[kind]
    fields = Map(f"a row with effect {kind}", (*outer, EFFECT, *keys), one_of).read(node)
    attempt = ATTEMPT in keys and fields[ATTEMPT]
    lock: LockSource | None = fields[LOCK] if LOCK in keys else None
    if OBJECT in keys:
        lock = LockArgument(fields[OBJECT])
    own = fields.get(WAITS) if WAITS in keys else "none"
    atomic = fields.get(ATOMIC) if ATOMIC in keys else fields[ANY_ATOMIC] if ANY_ATOMIC in keys else False
    return fields, Effect(
        kind,
        lock,
        fields[MODE] if MODE in keys else "write",
        fields[RECURSIVE] if RECURSIVE in keys else False,
        fields.get(WHEN) if WHEN in keys else None,
        own or ("none" if attempt else defaults.waits),
        attempt,
        fields[FACT] if FACT in keys else None,
        fields[ACCESS] if ACCESS in keys else fields[HOW] if HOW in keys else "any",
        fields[KEEPS] if KEEPS in keys else (),
        defaults.atomic if atomic is None else atomic,
        fields.get(BITS) if BITS in keys else None,
        fields[NESTS] if NESTS in keys else True,
        fields[FINDS] if FINDS in keys else False,
        fields.get(SETS) if SETS in keys else None,
        fields[AFTER] if AFTER in keys else (),
        fields.get(INSIDE) if INSIDE in keys else None,
        fields[CONTEXTS] if CONTEXTS in keys else (),
        fields[LAST] if LAST in keys else False,
        fields[PROMISED] if PROMISED in keys else True,
    )


class EffectShape:
    """An item of `effects:`."""

    def __init__(self, defaults: Defaults) -> None:
        self._defaults = defaults

    def read(self, node: Node, _label: str) -> Effect:
        """Return the effect."""
        return read_effect(node, self._defaults)[1]

    def schema(self) -> Schema:
        """Describe an effect: one alternative for each sort."""
        return {"anyOf": effect_schemas()}


def effect_schemas(outer: tuple[Key[Any], ...] = (), one_of: Groups = ()) -> list[Schema]:
    """Describe mappings with an effect of each sort and the keys in `outer`."""
    schemas = []
    for kind, keys in _KEYS.items():
        schema = Map(kind, (*outer, EFFECT, *keys), one_of).schema()
        schema["properties"]["effect"] = {"description": EFFECT.doc, "const": kind}
        schemas.append(schema)
    return schemas


def _kind_of(node: Node) -> EffectKind:
    accepted = ", ".join(_KEYS)
    if not isinstance(node, MapNode):
        raise SpecError(f"found {describe(node)}; accepted: a mapping with 'effect' ({accepted})", node.location)
    value = node.get("effect")
    if value is None:
        raise SpecError(f"a row needs the key 'effect' ({accepted}) or 'effects'", node.location)
    return _KIND.read(value, "'effect'")
