# SPDX-License-Identifier: GPL-2.0-only
"""Explanations for programs.

In: `Explanation` or `LockExplanation`. Out: one JSON object; `about` says which: `places` or `lock`.

**Invariant:** keys and their order never change within one `version`.
**Invariant:** the text is ASCII, so that a file name of any bytes survives.
"""

from __future__ import annotations

import json

from analyzer.base.location import Location
from analyzer.findings.claims import ClaimedBy
from analyzer.findings.explanation import Explanation, HeldFrom, RuleNote, Site, Way
from analyzer.findings.lock import Asserted, Holder, LockExplanation, Other, Spoken, Taken
from analyzer.findings.model import Finding, Step

VERSION = 1
Json = dict[str, object]


def render_explained_json(explanation: Explanation | LockExplanation) -> str:
    """Return an explanation as JSON text."""
    document = _lock(explanation) if isinstance(explanation, LockExplanation) else _places(explanation)
    return json.dumps(document, indent=1) + "\n"


def _places(explanation: Explanation) -> Json:
    return {
        "version": VERSION,
        "about": "places",
        "target": explanation.target,
        "rules": [_rule(note) for note in explanation.rules],
        "sites": [_site(site) for site in explanation.sites],
        "findings": [_finding(finding) for finding in explanation.findings],
        "notes": list(explanation.notes),
        "contracts": [_contract(claim) for claim in explanation.contracts],
    }


def _contract(claim: ClaimedBy) -> Json:
    ways = [{"function": way.function, "location": _place(way.location), "verdict": way.verdict} for way in claim.ways]
    place = _place(claim.location)
    return {"claim": claim.claim, "rule": claim.rule, "function": claim.function, "location": place, "ways": ways}


def _lock(lock: LockExplanation) -> Json:
    return {
        "version": VERSION,
        "about": "lock",
        "target": lock.target,
        "lock": lock.lock,
        "protects": [_spoken(one) for one in lock.protects],
        "orders": [_spoken(one) for one in lock.orders],
        "asserted": [_asserted(one) for one in lock.asserted],
        "taken": [_taken(one) for one in lock.taken],
        "inner": [_other(one) for one in lock.inner],
        "outer": [_other(one) for one in lock.outer],
        "waited_for_under": [_other(one) for one in lock.waited],
        "entered": list(lock.entered),
        "calls": [_holder(one) for one in lock.holders],
        "reached": list(lock.reached),
        "findings": [_finding(finding) for finding in lock.findings],
        "notes": list(lock.notes),
    }


def _place(location: Location | None) -> Json | None:
    return None if location is None else {"file": location.file, "line": location.line, "column": location.column}


def _rule(note: RuleNote) -> Json:
    return {"id": note.id, "requirement": note.requirement, "why": note.why, "source": note.source}


def _site(site: Site) -> Json:
    return {
        "access": site.access,
        "function": site.function,
        "location": _place(site.location),
        "verdict": site.verdict if site.ruled else None,
        "ways": [_way(way) for way in site.ways],
        "more_ways": site.n_more_ways,
    }


def _way(way: Way) -> Json:
    held = [_held(lock) for lock in way.held]
    return {"functions": list(way.functions), "held": held, "verdict": way.verdict, "cause": way.cause}


def _held(lock: HeldFrom) -> Json:
    return {"lock": lock.lock, "function": lock.function, "location": _place(lock.location)}


def _spoken(one: Spoken) -> Json:
    count = one.count
    verdicts = ("sites", "proven", "violations", "unknown")
    places = None if count is None else {name: getattr(count, name) for name in verdicts}
    return {**_rule(one.note), "about": list(one.about), "places": places}


def _taken(one: Taken) -> Json:
    return {
        "mode": one.mode,
        "function": one.function,
        "locations": [_place(place) for place in one.locations],
        "through": list(one.through),
        "attempt": one.attempt,
    }


def _asserted(one: Asserted) -> Json:
    return {"function": one.function, "form": one.form, "says": one.says, "location": _place(one.location)}


def _other(one: Other) -> Json:
    return {
        "lock": one.lock,
        "what": one.what,
        "holders": one.n_holders,
        "functions": list(one.functions),
        "location": _place(one.location),
        "doubt": one.doubt,
    }


def _holder(one: Holder) -> Json:
    return {"function": one.function, "calls": list(one.calls), "sometimes": list(one.sometimes)}


def _finding(finding: Finding) -> Json:
    place = {**(_place(finding.location) or {}), "function": finding.function}
    return {
        "rule": finding.rule,
        "verdict": finding.verdict,
        "message": finding.message,
        "fingerprint": finding.fingerprint,
        "location": place,
        "held": list(finding.held),
        "cause": finding.cause,
        "witness": [_step(step) for step in finding.witness],
    }


def _step(step: Step) -> Json:
    place = {"file": step.location.file, "line": step.location.line}
    return {"thread": step.thread, "event": step.event, "function": step.function, **place, "text": step.text}
