# SPDX-License-Identifier: GPL-2.0-only
"""Two revisions of a tree compared: which findings a change brings, and which it mends.

In: `CheckOptions`, names of revisions. Out: `Report` whose findings are the introduced ones.

Both sides are analysed with the same rules, compile commands and facts. A side that is not what lies on disk is made of
git's objects, as overlays; nothing is checked out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from posixpath import join, normpath

from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.errors import InputError
from analyzer.facts.store import Store
from analyzer.findings.baseline import judge
from analyzer.findings.baseline_file import BaselineFile
from analyzer.findings.comparison import Comparison, compare
from analyzer.findings.model import Compared, Report
from analyzer.pipeline.check import named_units
from analyzer.pipeline.coverage import Sides, not_covered
from analyzer.pipeline.options import CheckOptions, Progress
from analyzer.pipeline.side import run
from analyzer.source import history
from analyzer.source.commands import UnitList
from analyzer.source.revisions import Change, Repository, Untracked
from analyzer.source.snapshot import Snapshot


class Revisions(Struct, frozen=True, kw_only=True):
    """What is to be compared, as the user named it."""

    base: str
    #: empty: the work tree, with whatever is changed in it
    head: str = ""
    #: compare with the base itself rather than with where the head left it
    exact: bool = False


class _Resolved(Struct, frozen=True):
    """The same as commits."""

    repository: Repository
    base: str
    head: str | None
    changes: tuple[Change, ...]
    #: main files in the work tree that git does not know
    untracked: Untracked
    #: the commit that the head is, be it checked out; None: there are changes that are not committed
    named: str | None


class Outcome(Struct, frozen=True):
    """What a comparison came to."""

    #: of the head; its findings are the introduced ones
    report: Report
    comparison: Comparison
    #: full hashes; the head's is empty for the work tree
    base: str
    head: str


def diff(options: CheckOptions, wanted: Revisions, progress: Progress, *, explain_paths: bool = False) -> Outcome:
    """Compare two revisions; raise `InputError` or `SpecError` for what the user must mend."""
    if options.preprocessed or options.tree is None:
        raise InputError("diff needs a kernel tree in git: --tree DIR; .i files have no revisions")
    if options.overlays and wanted.head:
        raise InputError("--overlay changes the work tree, which --head takes no part of")
    units = named_units(options)
    known = _resolve(options.tree, wanted, units)
    with tempfile.TemporaryDirectory(prefix="lockspec-") as name, Store(options.cache) as store:
        before, after = _snapshots(known, Path(name))
        new = run(replace(options, snapshot=after), store, progress, lenient=False, explain_paths=explain_paths)
        base = replace(options, snapshot=before, overlays=())
        old = run(base, store, progress, lenient=True, explain_paths=explain_paths)
    return _outcome(options.tree, known, Sides(old, new, units.names), options)


def _resolve(tree: Path, wanted: Revisions, units: UnitList) -> _Resolved:
    """Find the commits and what changed between them."""
    repository = Repository(tree)
    base = repository.commit("--base", wanted.base)
    head = repository.commit("--head", wanted.head) if wanted.head else None
    named = head or repository.commit("HEAD", "HEAD")
    if not wanted.exact:
        base = repository.merge_base(base, named)
    changes = repository.changes(base, head)
    untracked = Untracked()
    if head is None:
        files = (normpath(join(command.directory, command.source)) for command in units.commands)
        known = {change.new for change in changes}
        untracked = repository.untracked((path for path in files if path not in known), base)
        changes = (*changes, *(Change("A", path, path) for path in untracked.new))
    clean = head is not None or not (untracked.new or repository.changes(named, None))
    return _Resolved(repository, base, head, changes, untracked, named if clean else None)


def _snapshots(known: _Resolved, place: Path) -> tuple[Snapshot, Snapshot]:
    """Return the tree at the base and at the head."""
    renames = tuple((change.old, change.new) for change in known.changes if change.status == "R")
    came = tuple(change.new for change in known.changes if change.status in "AR")
    went = tuple(change.old for change in known.changes if change.status in "DR")
    before = known.repository.snapshot(known.base, place)
    before = replace(before, absent=(*before.absent, *known.untracked.new), elsewhere=came, renamed=renames)
    after = known.repository.snapshot(known.head, place) if known.head else Snapshot()
    return before, replace(after, elsewhere=went, renamed=tuple((new, old) for old, new in renames))


def _outcome(tree: Path, known: _Resolved, sides: Sides, options: CheckOptions) -> Outcome:
    covered = not_covered(known.changes, known.untracked, sides, options)
    renamed = dict(_names(known.changes, sides))
    found = compare(covered.before, covered.after, renamed)
    whole = sides.after.side.report
    compared = Compared(
        base=history.head(tree, known.base) or known.base[:12],
        head=(history.head(tree, known.named) or known.named[:12]) if known.named else "",
        n_introduced=len(found.introduced),
        n_fixed=len(found.fixed),
        n_pre_existing=len(found.pre_existing),
        n_not_judged=len(found.not_judged),
    )
    gaps = tuple(sorted({*whole.gaps, *covered.gaps}))
    report = replace(whole, findings=found.introduced, gaps=gaps, compared=compared)
    return Outcome(report, found, known.base, known.head or "")


def _names(changes: Iterable[Change], sides: Sides) -> Iterable[tuple[str, str]]:
    for change in changes:
        if change.status == "R":
            yield sides.name(change.old), sides.name(change.new)


def accepting(done: Outcome, known: BaselineFile) -> Outcome:
    """Leave out the introduced findings that a baseline accepts; what else is in it does not matter here."""
    held = judge(known.entries, done.report, lambda _: False).report
    assert done.report.compared is not None
    compared = replace(done.report.compared, n_introduced=len(held.findings))
    return replace(done, report=replace(held, compared=compared))
