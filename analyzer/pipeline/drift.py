# SPDX-License-Identifier: GPL-2.0-only
"""Where YAML, assertions, annotations and sentences disagree about one field or function: `lockspec spec drift`.

In: options. Out: `DriftReport`.

No lockset is computed: what is compared is what everybody says.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from analyzer.analysis.contracts import contracts
from analyzer.analysis.names import NameResolver
from analyzer.facts.store import Store
from analyzer.findings.drift import Drift, DriftReport
from analyzer.pipeline.analyse import chosen_rules
from analyzer.pipeline.check import extracted
from analyzer.pipeline.drift_functions import Functions
from analyzer.pipeline.drift_members import Members
from analyzer.pipeline.drift_sources import files_in, rule_sources, statement_sources
from analyzer.pipeline.known import Known, Texts
from analyzer.pipeline.link import link
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.remember import Remembered
from analyzer.pipeline.scope import applicable
from analyzer.spec.load import load
from analyzer.spec.model import Rule, SpecSet

#: documents have lock references in this form
_DOCUMENT = ".rst"


def drift(options: CheckOptions, progress: Progress) -> DriftReport:
    """Compare what rules and the tree of `options` say."""
    spec = load(options.specs or None)
    with Store(options.cache) as store:
        extraction = extracted(options, store, progress)
        linked = link(extraction, Remembered(store), spec)
        names = NameResolver(linked.program, spec)
        rules, gaps = applicable(linked.program, spec, chosen_rules(spec, options.rules))
        known, texts = Known(linked.program, names, spec), Texts(options)
        claims = tuple(contracts(linked.program, linked.facts_of, spec))
        functions = Functions(linked, spec, rules, names, claims, known)
        members = Members(linked, rules, names, known)
        folders = {PurePosixPath(name).parent for name in linked.program.units}
        files = {function.ref.location.file for function in linked.program.functions.values()}
        near = frozenset(file for file in files if PurePosixPath(file).parent in folders)
        found = [
            *functions.drifts(),
            *functions.comments(texts, near),
            *members.declarations(texts),
            *members.documents(_documents(spec, rules), texts),
            *members.conditions(claims),
            *rule_sources((*rules, *spec.assumptions), texts),
            *statement_sources(spec.statements, texts),
        ]
    failed = len(extraction.failed)
    notes = [gap.text for gap in gaps] + ([f"units that could not be read: {failed}"] if failed else [])
    compared = (("rules", len(rules)), *functions.compared, *members.compared, ("statements", len(spec.statements)))
    return DriftReport(_ordered(found), compared, tuple(notes), failed)


def _documents(spec: SpecSet, rules: Iterable[Rule]) -> list[str]:
    """Return the documents that rules and statements were read in."""
    sources = [rule.source for rule in rules] + [statement.source for statement in spec.statements]
    return sorted({file for source in sources for file in files_in(source) if file.endswith(_DOCUMENT)})


def _ordered(drifts: Iterable[Drift]) -> tuple[Drift, ...]:
    """Return each disagreement once, notes last."""
    return tuple(
        sorted(dict.fromkeys(drifts), key=lambda one: (one.is_note, one.kind, one.about, one.sayings[-1].location))
    )
