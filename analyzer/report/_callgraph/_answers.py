# SPDX-License-Identifier: GPL-2.0-only
"""Answers about the call graph for people.

In: `Neighbours`, `Paths`, `UnresolvedSites`, `Stats`. Out: a few columns.

    kvm_gmem_release()  virt/kvm/guest_memfd.c:252

    calls
      mutex_lock()        virt/kvm/guest_memfd.c:261  direct
      invoked->release()  virt/kvm/guest_memfd.c:270  indirect, through file_operations.release
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from analyzer.findings.callgraph import (
    Branching,
    GraphEdge,
    GraphFunction,
    Link,
    Mechanism,
    Neighbours,
    Paths,
    Stats,
    UnresolvedSite,
    UnresolvedSites,
)
from analyzer.report._sheet import Sheet, Span
from analyzer.report._style import Style
from analyzer.report._words import count, enumerate_all

#: call sites shown for each pair of functions, unless everything is asked for
_N_SITES = 3

_Row = tuple[Span, Sequence[Span]]


def render_neighbours(found: Neighbours, style: Style) -> str:
    """Return a function with its callers or callees."""
    sheet = Sheet(style)
    _add_function(sheet, found.function)
    if found.entry:
        sheet.add((found.entry, ""), indent=2)
    if found.variants:
        sheet.add((f"other units see another definition of it: {enumerate_all(found.variants)}", ""), indent=2, hang=2)
    sheet.blank()
    callers = found.direction == "callers"
    if not found.branches:
        sheet.add(("no call of it is known" if callers else "it calls no known function", ""))
    else:
        sheet.add(("called by" if callers else "calls", "bold"))
        sheet.rows(list(_tree(found.branches, callers, 0, style)), indent=2)
    if found.unresolved:
        sheet.blank()
        sheet.add(
            (
                f"{count(len(found.unresolved), 'call')} without a target of {'its' if len(found.unresolved) == 1 else 'their'} own",
                "bold",
            )
        )
        _add_unresolved(sheet, found.unresolved)
    return sheet.text()


def render_paths(found: Paths, style: Style) -> str:
    """Return the paths, each with its calls one below the other."""
    sheet = Sheet(style)
    pair = f"from {found.start.name}() to {found.end.name}()"
    for number, path in enumerate(found.paths, 1):
        sheet.add((f"path {number}, {count(len(path), 'call')}", "bold"))
        start = (f"{found.start.name}()", "cyan")
        rows: list[_Row] = [(start, [(f"{found.start.location}", "dim")])]
        for depth, link in enumerate(path, 1):
            rows += _link_rows(link.callee, link, depth, "", style)
        sheet.rows(rows, indent=2)
        sheet.blank()
    if found.shortest is None:
        sheet.add((f"no path {pair}", ""))
    elif not found.paths:
        sheet.add(
            (f"no path {pair} of at most {count(found.max_length, 'call')}; the shortest has {found.shortest}", "")
        )
    else:
        more = "; there are more (--limit)" if found.more else ""
        longest = f"of at most {count(found.max_length, 'call')} (--max-length)"
        sheet.add((f"{count(len(found.paths), 'path')} {pair} {longest}{more}", ""))
    return sheet.text()


def render_unresolved(found: UnresolvedSites, style: Style) -> str:
    """Return the calls without a known target."""
    sheet = Sheet(style)
    _add_unresolved(sheet, found.sites)
    if found.sites:
        sheet.blank()
    left_out = found.n_sites - len(found.sites)
    more = f", {left_out:,} of them not shown (--limit)" if left_out else ""
    sheet.add((f"{count(found.n_sites, 'call')} not known to reach certain functions{more}", ""))
    return sheet.text()


def render_stats(stats: Stats, style: Style) -> str:
    """Return the numbers."""
    sheet = Sheet(style)
    n_sites = stats.n_direct_sites + stats.n_indirect_sites
    resolved = stats.indirect.n_resolved
    known = resolved + stats.n_outside_sites
    share = f" ({100 * known / stats.n_indirect_sites:.1f} % resolved or outside)" if stats.n_indirect_sites else ""
    rows = [
        ("units", f"{stats.n_units:,}"),
        ("functions", f"{stats.n_defined:,} defined, {stats.n_declared:,} only declared"),
        ("entry points", f"{stats.n_entries:,}"),
        ("call sites", f"{n_sites:,}"),
        ("  direct", f"{stats.n_direct_sites:,}, {stats.n_external_sites:,} of them into functions only declared"),
        ("  indirect", f"{stats.n_indirect_sites:,}{share}"),
        ("    resolved", f"{resolved:,}"),
        ("    outside", f"{stats.n_outside_sites:,}, their targets are given from outside these units"),
        ("    unresolved", f"{stats.n_unresolved_sites:,}"),
        ("    widened", f"{stats.n_widened_sites:,}, to all functions of their type whose address cannot be followed"),
        ("call edges", f"{sum(number for _, number in stats.edges):,} between {count(stats.n_pairs, 'pair')}"),
        *((f"  {kind}", f"{number:,}") for kind, number in stats.edges),
        ("linked in", f"{stats.link_seconds:.2f} s ({stats.link_cpu_seconds:.2f} s of processor time)"),
        ("peak memory", f"{stats.peak_bytes / 2**20:,.0f} MiB"),
    ]
    sheet.rows([((name, ""), [(text, "")]) for name, text in rows])
    sheet.blank()
    _add_mechanisms(sheet, stats)
    return sheet.text()


def _add_mechanisms(sheet: Sheet, stats: Stats) -> None:
    """Add a table: for each sort of indirect call, how many sites have how many targets."""
    table = [("indirect calls through a", "sites", "resolved", "median", "mean", "most")]
    table += [_mechanism_row(mechanism) for mechanism in (*stats.mechanisms, stats.indirect)]
    table += [_mechanism_row(replace(handed, name=f"handed on: {handed.name}")) for handed in stats.handed]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for number, row in enumerate(table):
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        sheet.add(("  ".join(cells), "" if number else "bold"))


def _mechanism_row(mechanism: Mechanism) -> tuple[str, str, str, str, str, str]:
    resolved = (f"{mechanism.median:g}", f"{mechanism.mean:.2f}", f"{mechanism.most}")
    numbers = resolved if mechanism.n_resolved else ("-", "-", "-")
    return (mechanism.name, f"{mechanism.n_sites:,}", f"{mechanism.n_resolved:,}", *numbers)


def _add_function(sheet: Sheet, function: GraphFunction) -> None:
    declared = "" if function.defined else "  only declared"
    place = f"  {function.location}" if function.location.line else ""
    sheet.add((f"{function.name}()", "bold"), (f"{place}{declared}", ""))


def _tree(branches: Iterable[Branching], callers: bool, depth: int, style: Style) -> Iterable[_Row]:
    for branch in branches:
        function = branch.link.caller if callers else branch.link.callee
        yield from _link_rows(function, branch.link, depth, " (unfolded elsewhere)" * branch.repeated, style)
        yield from _tree(branch.further, callers, depth + 1, style)


def _link_rows(function: GraphFunction, link: Link, depth: int, remark: str, style: Style) -> list[_Row]:
    """Make one row for each call site, the first with the function's name."""
    shown = link.edges if style.verbose else link.edges[:_N_SITES]
    rows: list[_Row] = []
    for edge in shown:
        name = "" if rows else f"{'  ' * depth}{function.name}()"
        rows.append(((name, "cyan" if function.defined else ""), [(_call(edge), ""), (remark, "dim")]))
        remark = ""
    left_out = len(link.edges) - len(shown)
    if left_out:
        rows.append((("", ""), [(f"and {count(left_out, 'more call')} (--verbose)", "dim")]))
    return rows


def _call(edge: GraphEdge) -> str:
    return f"{edge.site}  {edge.kind}{f', through {edge.via}' if edge.via else ''}"


def _add_unresolved(sheet: Sheet, sites: Iterable[UnresolvedSite]) -> None:
    for site in sites:
        name = site.caller.rpartition(":")[2]
        sheet.add((str(site.site), "bold"), (f"  {name}() calls {site.expression}: {site.cause}", ""), indent=2, hang=4)
        if site.n_hidden:
            named = ", ".join(f"{hidden}()" for hidden in site.hidden)
            more = ", …" if site.n_hidden > len(site.hidden) else ""
            text = f"{count(site.n_hidden, 'function')} of its type have their address taken: {named}{more}"
            sheet.add((text, "dim"), indent=4, hang=2)
