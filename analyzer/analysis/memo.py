# SPDX-License-Identifier: GPL-2.0-only
"""Summaries that outlive a run: what a function's summary depends on, as a key.

In: a component of the call graph and the summaries of its callees. Out: the key of its summaries; encoded summaries.

The key holds the functions' own facts and, for every call site, what callers can see of the callees. So a change
inside a function that its callers cannot see stops there.

**Invariant:** equal keys have equal summaries, whatever was analysed before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from analyzer.analysis.formula import Formula
from analyzer.analysis.locksets import HeldAt, Setting, SiteLocks
from analyzer.analysis.summary import PLAIN, Acquisition, Cause, FunctionSummary, Imbalance, LockChange, Nested
from analyzer.analysis.terms import thaw

_DIGEST_BYTES = 16


class Keep(Protocol):
    """Where encoded summaries are kept."""

    def find(self, key: bytes) -> bytes | None:
        """Return what was kept under `key`."""

    def keep(self, key: bytes, value: bytes) -> None:
        """Keep `value` under `key`."""


#: a function, and the slot that it calls through; empty where there is none
Site = tuple[str, tuple[Any, ...]]


class Packed(Struct, frozen=True, array_like=True):
    """One function's summary as bytes."""

    #: digest of what callers can see
    view: bytes
    #: does a rule have anything to say here, or below, or is there a gap?
    speaks: bool
    #: does the function take locks under others, or leave some uneven?
    nests: bool
    #: locks that the function itself takes
    n_takes: int
    #: empty for a plain function
    summary: bytes
    locks: bytes
    #: calls through a pointer that callers answer
    left_to_callers: tuple[Site, ...] = ()


_encoder = msgspec.msgpack.Encoder()
_summaries = msgspec.msgpack.Decoder(FunctionSummary)
_locks = msgspec.msgpack.Decoder(tuple[SiteLocks, ...])
_components = msgspec.msgpack.Decoder(tuple[Packed, ...])


def pack(summary: FunctionSummary) -> Packed:
    """Return `summary` as bytes."""
    seen = (
        summary.outcomes,
        [demand.id for demand in summary.demands],
        [one.id for one in summary.takes],
        [(one.outer, one.held.mode, one.inner, one.mode, one.what, one.waits) for one in summary.nested if one.is_open],
    )
    view = _digest(_encoder.encode(seen))
    speaks = bool(summary.demands or summary.failures or summary.own or summary.gaps)
    bare = replace(summary, locks=())
    data = b"" if bare == PLAIN else _encoder.encode(bare)
    nests = bool(summary.nested or summary.imbalances)
    n_takes = sum(1 for one in summary.takes if one.link is None and one.what == "lock")
    locks = _encoder.encode(summary.locks) if summary.locks else b""
    return Packed(view, speaks, nests, n_takes, data, locks, _left_to_callers(summary))


def _left_to_callers(summary: FunctionSummary) -> tuple[Site, ...]:
    """Return the calls through a pointer that callers of the function answer."""
    calls = (one.formula[4] for one in summary.demands if isinstance(one.formula, tuple) and one.formula[0] == "calls")
    return tuple(sorted({(site[0], tuple(site[3] or ())) for site in calls}, key=repr))


def encode_component(packed: list[Packed]) -> bytes:
    """Return the summaries of one component as bytes."""
    return _encoder.encode(packed)


def decode_component(data: bytes) -> tuple[Packed, ...] | None:
    """Return the summaries of one component; None if `data` is something else."""
    try:
        return _components.decode(data)
    except msgspec.DecodeError:
        return None


def _unpack(packed: Packed) -> FunctionSummary:
    if not packed.summary:
        return PLAIN
    return _thawed(_summaries.decode(packed.summary))


def _thawed(summary: FunctionSummary) -> FunctionSummary:
    """Return `summary` with its terms as tuples all the way down: a decoder makes lists of what it has no type for."""
    demands = tuple(
        replace(
            demand,
            formula=_formula(demand.formula),
            guards=_pairs(demand.guards),
            causes=tuple(map(_cause, demand.causes)),
        )
        for demand in summary.demands
    )
    failures = tuple(replace(failure, cause=_cause(failure.cause)) for failure in summary.failures)
    outcomes = tuple(
        replace(
            outcome,
            value=None if outcome.value is None else thaw(list(outcome.value)),
            changes=tuple(_change(change) for change in outcome.changes),
            guards=_pairs(outcome.guards),
            establishes=_pairs(outcome.establishes),
            stores=tuple((thaw(list(obj)), thaw(list(value))) for obj, value in outcome.stores),
            marks=_pairs(outcome.marks),
            assumes=_pairs(outcome.assumes),
        )
        for outcome in summary.outcomes
    )
    takes = tuple(map(_taken, summary.takes))
    nested = tuple(map(_nested, summary.nested))
    imbalances = tuple(map(_imbalance, summary.imbalances))
    places = {"demands": demands, "failures": failures, "takes": takes, "nested": nested, "imbalances": imbalances}
    return replace(summary, outcomes=outcomes, **places)


def _taken(one: Acquisition) -> Acquisition:
    return replace(
        one,
        key=thaw(list(one.key)),
        guards=_pairs(one.guards),
        setting=_setting(one.setting),
        choices=_pairs(one.choices),
        elsewhere=tuple(
            replace(place, choices=_pairs(place.choices), setting=_setting(place.setting)) for place in one.elsewhere
        ),
    )


def _nested(one: Nested) -> Nested:
    return replace(
        one,
        outer=thaw(list(one.outer)),
        held=_held((one.held,))[0],
        inner=thaw(list(one.inner)),
        setting=_setting(one.setting),
        beside=_pairs(one.beside),
    )


def _imbalance(one: Imbalance) -> Imbalance:
    return replace(
        one,
        origin=one.origin and (one.origin[0], thaw(list(one.origin[1]))),
        setting=_setting(one.setting),
        other_setting=one.other_setting and _setting(one.other_setting),
    )


def _cause(cause: Cause) -> Cause:
    setting = _setting(cause.setting)
    return cause if setting is cause.setting else replace(cause, setting=setting)


def _setting(setting: Setting) -> Setting:
    if all(lock.origin is None for lock in setting.held):
        return setting
    return replace(setting, held=_held(setting.held))


def _change(change: LockChange) -> LockChange:
    origin = None if change.origin is None else (change.origin[0], thaw(list(change.origin[1])))
    return replace(change, key=thaw(list(change.key)), origin=origin)


def _site(site: SiteLocks) -> SiteLocks:
    must, may = replace(site.must, held=_held(site.must.held)), replace(site.may, held=_held(site.may.held))
    return replace(site, must=must, may=may)


def _held(locks: tuple[HeldAt, ...]) -> tuple[HeldAt, ...]:
    return tuple(
        lock if lock.origin is None else replace(lock, origin=(lock.origin[0], thaw(list(lock.origin[1]))))
        for lock in locks
    )


def _formula(formula: Formula) -> Formula:
    return formula if isinstance(formula, bool) else thaw(list(formula))


def _pairs(pairs: tuple[tuple[Any, Any], ...]) -> tuple[tuple[Any, Any], ...]:
    return tuple((thaw(list(term)), known) for term, known in pairs)


class Summaries(Mapping[str, FunctionSummary]):
    """Summaries by function id, decoded when they are asked for."""

    def __init__(self) -> None:
        self._packed: dict[str, Packed] = {}
        self._open: dict[str, FunctionSummary] = {}

    def __getitem__(self, ident: str) -> FunctionSummary:
        summary = self._open.get(ident)
        if summary is None:
            summary = self._open[ident] = _unpack(self._packed[ident])
        return summary

    def reached(self, ident: str) -> FunctionSummary | None:
        """Return the summary of a function; None if it was not reached yet."""
        summary = self._open.get(ident)
        return summary if summary is not None else self[ident] if ident in self._packed else None

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed.keys() | self._open.keys())

    def __len__(self) -> int:
        return len(self._packed.keys() | self._open.keys())

    def draft(self, ident: str, summary: FunctionSummary) -> None:
        """Take `summary` for now, while its component is being solved."""
        self._open[ident] = summary

    def settle(self, ident: str, packed: Packed) -> None:
        """Take `packed` for good."""
        self._packed[ident] = packed

    def adopt(self, other: Summaries, ident: str) -> None:
        """Take what `other` settled for a function."""
        self._packed[ident] = other._packed[ident]
        opened = other._open.get(ident)
        if opened is not None:
            self._open[ident] = opened

    def packed(self, ident: str) -> Packed | None:
        """Return what was settled for a function: as long as it is the same object, so is the summary."""
        return self._packed.get(ident)

    def view(self, ident: str) -> bytes:
        """Return the digest of what callers can see of a settled function; empty for one that is not settled."""
        packed = self._packed.get(ident)
        return packed.view if packed else b""

    def left_to_callers(self, ident: str) -> tuple[Site, ...]:
        """Return the calls through a pointer that callers of a settled function answer."""
        packed = self._packed.get(ident)
        return packed.left_to_callers if packed else ()

    def speaks(self, ident: str) -> bool:
        """Tell whether the function has demands, failures, places of rules or gaps."""
        return self._packed[ident].speaks

    def speaking(self) -> list[str]:
        """Return the functions that have demands, failures, places of rules or gaps, sorted."""
        return sorted(ident for ident, packed in self._packed.items() if packed.speaks)

    def nesting(self) -> list[str]:
        """Return the functions that take locks under others or leave some uneven, sorted."""
        return sorted(ident for ident, packed in self._packed.items() if packed.nests)

    def n_takes(self) -> int:
        """Count the locks that functions take themselves, each once for a function."""
        return sum(packed.n_takes for packed in self._packed.values())

    def locks(self, ident: str) -> tuple[SiteLocks, ...]:
        """Return the locksets at the function's call sites and watched accesses."""
        packed = self._packed.get(ident)
        return tuple(map(_site, _locks.decode(packed.locks))) if packed and packed.locks else ()


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_BYTES).digest()


def analysis_version() -> bytes:
    """Return a digest of the code that makes summaries."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    here = Path(__file__).parent
    for folder in (here, here.parent / "program", here.parent / "rules"):
        for file in sorted(folder.glob("*.py")):
            digest.update(file.read_bytes())
    return digest.digest()
