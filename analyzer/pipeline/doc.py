# SPDX-License-Identifier: GPL-2.0-only
"""What rules say about structures, for their headers: `lockspec spec doc`.

In: a specification; with a tree, who accesses what there. Out: a `StructDoc` for each structure asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.analysis.names import NameResolver
from analyzer.analysis.watch import Watch
from analyzer.base.errors import InputError
from analyzer.facts.store import Store
from analyzer.findings.doc import StructDoc
from analyzer.pipeline.check import examine
from analyzer.pipeline.measured import OBSERVER, Measurements, text_of
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.structure import StructWriter, members_of
from analyzer.spec.load import load
from analyzer.spec.model import AllOf, SpecSet
from analyzer.spec.suggest import did_you_mean


def from_rules(spec: SpecSet, names: Iterable[str]) -> tuple[StructDoc, ...]:
    """Describe the structures and globals called `names`, all if there are none. Raise `InputError`."""
    return _written(StructWriter(spec, spec.rules, None), tuple(names))


def from_tree(options: CheckOptions, names: Iterable[str], progress: Progress) -> tuple[StructDoc, ...]:
    """Do the same, and count who accesses the members in the tree of `options`."""
    spec = load(options.specs or None)

    def observers(resolver: NameResolver) -> Iterator[Watch]:
        """Yield the watches that see every access of a member that some rule is about."""
        fields = {name: rule.location for rule in spec.rules for name in members_of(rule)}
        cells = {cell for name, place in fields.items() if (cell := resolver.cell(name, place)) is not None}
        for cell in sorted(cells):
            yield Watch(OBSERVER, cell, "", text_of(cell), "any", AllOf(()))

    with Store(options.cache) as store:
        _, analysis = examine(options, store, progress, observers)
        return _written(StructWriter(spec, analysis.rules, Measurements(analysis)), tuple(names))


def _written(writer: StructWriter, names: tuple[str, ...]) -> tuple[StructDoc, ...]:
    known = writer.structures()
    for name in names:
        if name not in known:
            more = "" if writer.is_measured else "; with --tree, structures inside others are looked through as well"
            raise InputError(f"{name}: no rule names a member of it{did_you_mean(name, known)}{more}")
    return tuple(writer.write(name) for name in (names or sorted(known)))
