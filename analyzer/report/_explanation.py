# SPDX-License-Identifier: GPL-2.0-only
"""An explanation for people: the table a maintainer would write into a mail.

In: `Explanation`. Out: the rules that speak about the target, then for each access where it stands, which ways lead
there and which locks are held, with the place where each is taken.

    kvm_memory_slot.gmem.file

    rules
      kvm/gmem-file-write  write needs kvm.slots_lock
                           lockspecs/kvm/guest_memfd.yaml:5, after include/linux/kvm_host.h, struct kvm_memory_slot

    writes
      kvm_gmem_release()  virt/kvm/guest_memfd.c:269  proven
        kvm.slots_lock taken by kvm_gmem_release(), virt/kvm/guest_memfd.c:261
          kvm_gmem_release()
"""

from __future__ import annotations

from analyzer.findings.explanation import Explanation, HeldFrom, RuleNote, Site, Way
from analyzer.report._sheet import Sheet, Span
from analyzer.report._style import SourceReader, Style
from analyzer.report._words import count
from analyzer.report.text import add_finding, add_way

_VERDICT_STYLES = {"proven": "green", "violation": "bold red", "unknown": "magenta"}


def render_explanation(explanation: Explanation, sources: SourceReader, style: Style) -> str:
    """Return the explanation as paragraphs for a person."""
    sheet = Sheet(style)
    sheet.add((explanation.target, "bold"))
    _add_rules(sheet, explanation.rules)
    for access in dict.fromkeys(site.access for site in explanation.sites):
        sheet.blank()
        sheet.add((f"{access}s", "bold"))
        for site in explanation.sites:
            if site.access == access:
                _add_site(sheet, site, style)
    for finding in explanation.findings:
        sheet.blank()
        add_finding(sheet, finding, sources)
    if explanation.notes:
        sheet.blank()
        for note in explanation.notes:
            sheet.add((f"note: {note}", ""), hang=6)
    return sheet.text()


def _add_rules(sheet: Sheet, rules: tuple[RuleNote, ...]) -> None:
    sheet.blank()
    if not rules:
        sheet.add(("no rule speaks about it", ""))
        return
    sheet.add(("rules", "bold"))
    width = max(len(rule.id) for rule in rules) + 2
    for rule in rules:
        sheet.labelled((rule.id, ""), width, (rule.requirement, ""), indent=2)
        if rule.why:
            sheet.labelled(("", ""), width, (rule.why, "dim"), indent=2)
        place = f"{rule.location}, after {rule.source}" if rule.source else str(rule.location)
        sheet.labelled(("", ""), width, (place, "dim"), indent=2)


def _add_site(sheet: Sheet, site: Site, style: Style) -> None:
    """Add a site; ways that hold the same locks from the same places stand together."""
    sheet.add(
        (f"{site.function}()", "cyan"),
        (f"  {site.location}  ", ""),
        (site.verdict, _VERDICT_STYLES[site.verdict]) if site.ruled else ("no rule speaks of it", "dim"),
        indent=2,
        hang=4,
    )
    alike: dict[tuple[tuple[HeldFrom, ...], str, str], list[Way]] = {}
    for way in site.ways:
        alike.setdefault((way.held, way.verdict, way.cause), []).append(way)
    for (held, verdict, cause), ways in alike.items():
        _add_held(sheet, held)
        if verdict != "proven" or cause:
            reason: list[Span] = [(verdict, _VERDICT_STYLES[verdict]), (f": {cause}" if cause else "", "")]
            sheet.add(*reason, indent=4, hang=4)
        for way in ways:
            _add_functions(sheet, way)
            if style.verbose:
                add_way(sheet, way.steps, "")
    if site.n_more_ways:
        sheet.add((f"and {count(site.n_more_ways, 'more way')}", "dim"), indent=6)


def _add_held(sheet: Sheet, held: tuple[HeldFrom, ...]) -> None:
    if not held:
        sheet.add(("nothing held", "bold"), indent=4)
    for lock in held:
        taken = f" taken by {lock.function}()" if lock.function else " held from the entry on"
        place = f", {lock.location}" if lock.location else ""
        sheet.add((lock.lock, "bold"), (f"{taken}{place}", ""), indent=4, hang=4)


def _add_functions(sheet: Sheet, way: Way) -> None:
    """Add a way as its functions, from the entry point inwards."""
    sheet.add((" > ".join(f"{name}()" for name in way.functions), ""), indent=6, hang=2)
