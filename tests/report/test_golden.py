# SPDX-License-Identifier: GPL-2.0-only
"""Every format renders the hand-made report as its golden file says. `UPDATE_GOLDEN=1 pytest` writes them anew."""

import json
import os
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer import __version__
from analyzer.base.location import Location
from analyzer.findings.explanation import Explanation, HeldFrom, RuleNote, Site, Way
from analyzer.findings.model import Finding, Report, Step
from analyzer.report import SourceReader, Style, format_names, render_explanation, renderer
from tests.report.conftest import VIOLATION

GOLDEN = Path(__file__).parent / "golden"


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    text = text.replace(__version__, "VERSION")
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def rendered(name: str, report: Report, sources: SourceReader) -> str:
    """Render a report; of a page what is in it, not how it looks."""
    text = renderer(name)(report, sources, Style())
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    return f"{json.dumps(json.loads(data[1]), indent=1)}\n" if data else text


@pytest.mark.parametrize("name", format_names())
def test_format(name: str, report: Report, sources: SourceReader) -> None:
    compare(f"{name}.txt", rendered(name, report, sources))


@pytest.mark.parametrize("name", format_names())
def test_every_format_renders_an_empty_report(name: str, sources: SourceReader) -> None:
    compare(f"{name}-empty.txt", rendered(name, Report((), (), (), 0, 0, 0, 0), sources))


VARIANTS = {
    "narrow": Style(width=60),
    "colour": Style(width=100, colour=True),
    "verbose": Style(verbose=True),
    "quiet": Style(quiet=True),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_text_variant(name: str, report: Report, sources: SourceReader) -> None:
    compare(f"text-{name}.txt", renderer("text")(report, sources, VARIANTS[name]))


def test_gcc_makes_unknown_verdicts_warnings_where_they_fail_the_run(report: Report, sources: SourceReader) -> None:
    compare("gcc-strict.txt", renderer("gcc")(report, sources, Style(strict=True)))


RELEASE = HeldFrom("kvm.slots_lock", "kvm_gmem_release", Location("virt/kvm/guest_memfd.c", 261, 2))
IOCTL = HeldFrom("kvm.slots_lock", "kvm_vm_ioctl_set_memory_region", Location("virt/kvm/kvm_main.c", 2106, 2))
EXPLANATION = Explanation(
    target="kvm_memory_slot.gmem.file",
    rules=(
        RuleNote(
            "kvm/gmem-file-write",
            "write needs kvm.slots_lock",
            "bind, unbind and release all update the pointer; slots_lock serialises them.",
            "include/linux/kvm_host.h, struct kvm_memory_slot",
            Location("lockspecs/kvm/guest_memfd.yaml", 5, 5),
        ),
    ),
    sites=(
        Site(
            "write",
            "kvm_gmem_release",
            Location("virt/kvm/guest_memfd.c", 269, 3),
            "proven",
            (Way(("kvm_gmem_release",), (RELEASE,), "proven"),),
        ),
        Site(
            "write",
            "kvm_gmem_unbind",
            Location("virt/kvm/guest_memfd.c", 566, 2),
            "unknown",
            (
                Way(("kvm_vm_ioctl", "kvm_set_memslot", "kvm_gmem_unbind"), (IOCTL,), "proven"),
                Way(("kvm_vm_ioctl", "kvm_delete_memslot", "kvm_gmem_unbind"), (IOCTL,), "proven"),
                Way(("kvm_destroy_vm", "kvm_gmem_unbind"), (), "unknown", "what calls kvm_destroy_vm() is not known"),
            ),
            n_more_ways=2,
        ),
        Site("read", "kvm_gmem_get_file", Location("virt/kvm/guest_memfd.c", 300, 9), "proven", ()),
    ),
    notes=("2 indirect calls in these units have no known target",),
)


def test_explanation(sources: SourceReader) -> None:
    compare("explanation.txt", render_explanation(EXPLANATION, sources, Style()))
    compare("explanation-narrow.txt", render_explanation(EXPLANATION, sources, Style(width=60)))


def test_a_way_of_two_threads(sources: SourceReader) -> None:
    finding = Finding(
        rule="kvm/order",
        kind="lock-order",
        verdict="violation",
        severity="warning",
        message="kvm.lock and kvm.srcu are taken in both orders",
        location=Location("virt/kvm/kvm_main.c", 20, 2),
        function="first",
        object="kvm.lock",
        access="acquire",
        requires=(),
        held=("kvm.srcu",),
        witness=(
            Step(0, "entry", "first", Location("virt/kvm/kvm_main.c", 10), "enters first() holding nothing"),
            Step(
                0, "acquire", "first", Location("virt/kvm/kvm_main.c", 20), "takes kvm.lock", ("kvm.srcu", "kvm.lock")
            ),
            Step(1, "entry", "second", Location("virt/kvm/kvm_main.c", 30), "enters second() holding nothing"),
            Step(1, "call", "second", Location("virt/kvm/kvm_main.c", 33), "calls third()", ("kvm.lock",)),
            Step(1, "acquire", "third", Location("virt/kvm/eventfd.c", 7), "takes kvm.srcu", ("kvm.lock", "kvm.srcu")),
            Step(1, "release", "second", Location("virt/kvm/kvm_main.c", 35), "drops kvm.lock", ("kvm.srcu",)),
        ),
        cause="",
        why="",
        source="",
        rule_location=Location("order.yaml", 4, 9),
    )
    report = Report((finding,), (), (), 1, 0, 2, 0)
    compare("text-threads.txt", renderer("text")(report, sources, Style(quiet=True)))


def test_a_site_that_fails_on_two_ways_is_one_violation(sources: SourceReader) -> None:
    report = Report((VIOLATION, replace(VIOLATION, witness=())), (), (), 1, 0, 2, 0)
    assert renderer("text")(report, sources, Style()).endswith("\n1 violation on 2 ways, 0 unknown\n")
