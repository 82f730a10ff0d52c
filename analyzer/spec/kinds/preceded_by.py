# SPDX-License-Identifier: GPL-2.0-only
"""`preceded-by`: a call comes after another one on every way.

In: `call: kvm_gmem_unbind`, `after: {call: synchronize_srcu, lock: kvm.srcu}`. Out: `PrecededBy(…)`.
"""

from __future__ import annotations

from analyzer.base.errors import SpecError
from analyzer.base.location import Location
from analyzer.spec.kinds import RuleKind
from analyzer.spec.mapping import Fields, Key, Map
from analyzer.spec.model import Mention, Name, PrecededBy
from analyzer.spec.requirements import NameOf, RequirementShape
from analyzer.spec.shapes import FUNCTION, Located, OneOrMore, Schema
from analyzer.spec.tree import Node

_FUNCTIONS = OneOrMore(Located(FUNCTION), "names of functions")
_FIELDS = OneOrMore(NameOf("field"), "fields")


class _Nested:
    """A mapping inside a rule."""

    def __init__(self, inner: Map) -> None:
        self._inner = inner

    def read(self, node: Node, label: str) -> Fields:
        """Return the values of its keys."""
        return self._inner.read(node, label)

    def schema(self) -> Schema:
        """Describe the mapping."""
        return self._inner.schema()


_EARLIER = Key("call", _FUNCTIONS, "one function, or several of which one must be called", required=True)
_LOCK = Key("lock", NameOf("lock"), "the lock that the call must be about")
_CALL = Key("call", _FUNCTIONS, "functions")
_WRITE = Key("write", _FIELDS, "fields")

CALL = Key("call", _FUNCTIONS, "the function, or functions, each on its own", required=True)
AFTER = Key("after", _Nested(Map("'after'", (_EARLIER, _LOCK))), "what must come before", required=True)
SINCE = Key("since", _Nested(Map("'since'", (_CALL, _WRITE))), "what makes an earlier call count no more")
OR = Key("or", RequirementShape(), "where this holds, no earlier call is needed")


def _build(fields: Fields) -> tuple[PrecededBy, tuple[Mention, ...]]:
    called, after, since, needless = fields[CALL], fields[AFTER], fields.get(SINCE), fields.get(OR)
    if since is not None and not (_CALL in since or _WRITE in since):
        raise SpecError("'since' needs the key 'call' or 'write'", fields.place(SINCE))
    stale = (since.get(_CALL) or () if since else ()), (since.get(_WRITE) or () if since else ())
    lock = after.get(_LOCK)
    check = PrecededBy(
        _texts(called),
        _texts(after[_EARLIER]),
        None if lock is None else lock.name,
        _texts(stale[0]),
        tuple(mention.name for mention in stale[1]),
        None if needless is None else needless.requirement,
    )
    mentions = (
        *_mentions((*called, *after[_EARLIER])),
        *((lock,) if lock else ()),
        *_mentions(stale[0]),
        *stale[1],
        *(needless.mentions if needless else ()),
    )
    return check, mentions


def _texts(functions: tuple[tuple[str, Location], ...]) -> tuple[str, ...]:
    return tuple(name for name, _ in functions)


def _mentions(functions: tuple[tuple[str, Location], ...]) -> tuple[Mention, ...]:
    return tuple(Mention("function", Name((name,)), place) for name, place in functions)


KIND = RuleKind("preceded-by", "a call comes after another one on every way", (CALL, AFTER, SINCE, OR), (), _build)
