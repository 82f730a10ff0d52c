# SPDX-License-Identifier: GPL-2.0-only
"""The page of findings in a real browser: search, unfolding, keys, paper, hostile names, size, and no request at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from analyzer.base.location import Location
from analyzer.findings.model import Accepted, Report, Step
from analyzer.report import NoSources, SourceReader, Style, renderer
from tests.callgraph import chromium
from tests.callgraph.chromium import Page
from tests.report.conftest import MAIN, MEMFD, VIOLATION, Lines
from tests.report.many import HOSTILE, hostile, many

LOCKS = "[...document.querySelectorAll('.way > svg .lock title')].map((title) => title.textContent)"
SOURCES = Lines({(file, n): f"\tline_{n}();" for file in (MAIN, MEMFD) for n in range(1, 6000)})


class Marked(Lines):
    """The lines, with the member that the finding is about in its own."""

    def line(self, file: str, line: int) -> str | None:
        return "\tWRITE_ONCE(slot->gmem.file, NULL);" if (file, line) == (MEMFD, 566) else super().line(file, line)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Give a browser, or skip with the reason."""
    path = chromium.find()
    if path is None:
        pytest.skip("no browser: install chromium, or set LOCKSPEC_CHROMIUM to one like it")
    with chromium.running(path, tmp_path_factory.mktemp("profile")) as page:
        yield page


def shown(browser: Page, report: Report, folder: Path, sources: SourceReader | None = None) -> Iterator[Page]:
    """Show a report; whatever is done with it, it must ask for nothing and write no error to the console."""
    path = folder / "report.html"
    path.write_text(renderer("html")(report, sources or NoSources(), Style()), "utf-8")
    browser.emulate_colours("light")
    browser.open(path.as_uri())
    yield browser
    assert browser.requests() == [path.as_uri()]
    assert browser.errors() == []


@pytest.fixture
def page(browser: Page, report: Report, tmp_path: Path) -> Iterator[Page]:
    sources = Marked({(file, n): f"\tline_{n}();" for file in (MAIN, MEMFD) for n in range(1, 6000)})
    yield from shown(browser, replace(report, accepted=(Accepted(VIOLATION, "known"),)), tmp_path, sources)


def texts(page: Page, selector: str) -> list[str]:
    """Return the texts of elements that are to be seen."""
    found = page.evaluate(
        f"[...document.querySelectorAll({selector!r})].filter((e) => e.checkVisibility()).map((e) => e.textContent)"
    )
    assert isinstance(found, list)
    return found


def search(page: Page, text: str) -> None:
    page.evaluate("document.getElementById('query').focus(), document.getElementById('query').select()")
    page.write(text)


def open_first(page: Page) -> None:
    page.evaluate("document.querySelector('.head').focus()")
    page.press("ArrowRight")


def test_console_errors_would_be_seen(browser: Page) -> None:
    browser.open("data:text/html,<script>console.error('x')</script><script>throw 1</script>")
    browser.evaluate("0")
    assert len(browser.errors()) == 2


def test_findings_stand_by_rule_with_their_numbers(page: Page) -> None:
    assert texts(page, ".group > h3 > button")[:2] == [
        "kvm/gmem-file-write 1 violation, 1 accepted",
        "kvm/gmem-get-file 2 unknown",
    ]
    assert texts(page, ".head")[0].startswith(f"error {VIOLATION.message} {MEMFD}:566:24 in kvm_gmem_unbind()")
    assert texts(page, "#summary strong") == ["1 violation, 2 unknown, 1 accepted by the baseline"]


def test_findings_stand_by_file(page: Page) -> None:
    page.evaluate("document.querySelector('[value=file]').click()")
    assert [text.split(" ")[0] for text in texts(page, ".group > h3 > button")][:1] == [MEMFD]
    assert "[kvm/gmem-file-write]" in texts(page, ".head")[0]


def test_search_looks_into_messages_and_functions_on_the_way(page: Page) -> None:
    search(page, "GET_FILE")
    assert texts(page, "#found") == ["2 findings"]
    search(page, "kvm_vm_ioctl")
    assert texts(page, "#found") == ["2 findings"]
    search(page, "nothing like it")
    assert texts(page, "#findings") == ["Nothing matches."]
    page.press("Escape")
    assert texts(page, "#found") == ["4 findings"]


def test_verdicts_can_be_left_out(page: Page) -> None:
    page.evaluate("document.getElementById('show-unknown').click()")
    assert texts(page, "#found") == ["2 findings"]
    page.evaluate("document.getElementById('show-accepted').click()")
    assert texts(page, "#found") == ["1 finding"]


def test_the_way_unfolds_call_by_call_with_the_keyboard(page: Page) -> None:
    page.press("/")
    assert page.evaluate("document.activeElement.id") == "query"
    page.press("ArrowDown", "ArrowDown", "Enter")
    assert len(texts(page, ".told")) == 3, "the outermost function's steps alone"
    page.press("n")
    assert len(texts(page, ".told")) == 5
    page.press("n")
    told = texts(page, ".told")
    assert len(told) == 6
    assert told[-1] == f"{MEMFD}:566 kvm_gmem_unbind() writes kvm_memory_slot.gmem.file holding kvm.lock"
    page.press("ArrowLeft")
    assert len(texts(page, ".told")) == 5
    page.press("ArrowLeft", "ArrowLeft")
    assert len(texts(page, ".told")) == 3
    page.press("a")
    assert len(texts(page, ".told")) == 6


def test_source_stands_beside_the_lanes_of_the_locks(page: Page) -> None:
    open_first(page)
    page.press("a")
    assert texts(page, ".legend > span") == ["kvm.lock", "kvm.slots_lock (missing)"]
    lanes = "[...document.querySelectorAll('.path .line.here')].map((l) => [...l.querySelectorAll('.lane')].map((e) => e.title))"
    assert page.evaluate(lanes) == [
        ["", ""],
        ["kvm.lock: taken", ""],
        ["kvm.lock: held", ""],
        ["kvm.lock: held", ""],
        ["kvm.lock: held", ""],
        ["kvm.lock: held", "kvm.slots_lock: missing"],
    ]
    numbers = [int(text) for text in texts(page, ".path .number")]
    assert numbers == [*range(5100, 5113), *range(1728, 1734), *range(564, 569)]
    assert texts(page, "mark") == ["file"]
    colours = (
        "new Set([...document.querySelectorAll('.legend .lane')].map((e) => getComputedStyle(e).borderLeftColor)).size"
    )
    assert page.evaluate(colours) == 2


def test_the_picture_has_a_box_for_each_function_and_marks_the_place(page: Page) -> None:
    open_first(page)
    names = [text for text in texts(page, ".way > svg text") if text.endswith("()")]
    assert names == ["kvm_vm_ioctl()", "kvm_free_memslot()", "kvm_gmem_unbind()"]
    assert [text for text in texts(page, ".way > svg text") if text.startswith("line")] == ["line 5112", "line 1733"]
    assert page.evaluate("document.querySelectorAll('.way > svg rect.place').length") == 1
    assert page.evaluate(LOCKS) == ["takes kvm.lock"]


def test_two_threads_stand_side_by_side(browser: Page, tmp_path: Path) -> None:
    steps = (
        Step(0, "entry", "first", Location(MAIN, 10), "enters first() holding nothing"),
        Step(0, "acquire", "first", Location(MAIN, 20), "takes a.lock", ("a.lock",)),
        Step(0, "acquire", "first", Location(MAIN, 21), "takes b.lock", ("a.lock", "b.lock")),
        Step(1, "entry", "second", Location(MAIN, 30), "enters second() holding nothing"),
        Step(1, "acquire", "second", Location(MAIN, 31), "takes b.lock", ("b.lock",)),
        Step(1, "release", "second", Location(MAIN, 33), "drops b.lock"),
    )
    report = Report((replace(VIOLATION, requires=(), witness=steps),), (), (), 1, 0, 1, 0)
    for page in shown(browser, report, tmp_path, SOURCES):
        open_first(page)
        assert texts(page, ".thread h4") == ["thread A", "thread B"]
        left = "[...document.querySelectorAll('.way > svg rect')].map((box) => Number(box.getAttribute('x')))"
        first, second = page.evaluate(left)
        assert first < second
        assert page.evaluate(LOCKS) == ["takes a.lock", "takes b.lock", "takes b.lock", "drops b.lock"]


def test_rules_and_gaps_are_told_with_their_numbers(page: Page) -> None:
    rows = [text.split("\n")[0] for text in texts(page, "#rules tbody tr")]
    assert rows[0].startswith("kvm/gmem-file-write")
    assert "41 accesses" in rows[0]
    assert "no access in these units" in rows[2]
    assert texts(page, "#gaps > p")[0].startswith("3 places in the input")
    assert texts(page, "#gaps h3") == ["expression 2", "body 1"]
    page.evaluate("document.querySelector('#gaps button').click()")
    assert texts(page, "#gaps li")[0] == f"{MAIN}:99:8 vector arithmetic: its value counts as unknown"


def test_paper_has_everything_unfolded(page: Page) -> None:
    paper = page.print()
    assert paper.startswith(b"%PDF-")
    assert page.evaluate("document.querySelectorAll('main button[aria-expanded=false]').length") == 0
    assert len(texts(page, ".told")) == 14, "two ways of 6 steps, two of one"
    assert len(texts(page, "#gaps li")) == 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system(page: Page, scheme: str) -> None:
    page.emulate_colours(scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_narrow_window_does_not_scroll_sideways(page: Page) -> None:
    page.emulate_width(420)
    open_first(page)
    page.press("a")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_width(1280)


def test_names_that_are_markup_are_text(browser: Page, tmp_path: Path) -> None:
    clean = HOSTILE.replace("\n", "\N{REPLACEMENT CHARACTER}")
    for page in shown(browser, hostile(), tmp_path, Lines({(f"dir/{HOSTILE}", 3): HOSTILE})):
        search(page, "<script>alert")
        assert texts(page, "#found") == ["1 finding"]
        open_first(page)
        page.press("a")
        assert texts(page, ".message") == [clean]
        assert set(texts(page, ".path code")) == {clean}
        assert clean in "".join(texts(page, ".told"))
        assert page.evaluate("document.scripts.length") == 2
        assert page.evaluate("document.images.length") == 0


def test_an_empty_report_says_so(browser: Page, tmp_path: Path) -> None:
    for page in shown(browser, Report((), (), (), 3, 0, 9, 0), tmp_path):
        assert texts(page, "#findings") == ["There is nothing to report."]
        assert "3 units (0 failed) and 9 functions (0 skipped) analysed" in texts(page, "#summary")[0]


def test_10000_findings_stay_quick(browser: Page, tmp_path: Path) -> None:
    began = time.monotonic()
    for page in shown(browser, many(10_000, 0), tmp_path):
        opened = time.monotonic()
        open_group = "document.querySelector('.group > h3 > button')"
        if page.evaluate(f"{open_group}.getAttribute('aria-expanded')") == "false":
            page.evaluate(f"{open_group}.click()")
        assert page.evaluate("document.querySelectorAll('.finding').length") == 100
        page.evaluate("document.querySelector('.more').click()")
        assert page.evaluate("document.querySelectorAll('.finding').length") == 200
        search(page, "function_9999")
        assert texts(page, "#found") == ["1 finding"]
        # seconds where tenths are measured: a busy machine must not fail this, a page that freezes must
        assert opened - began < 30
        assert time.monotonic() - opened < 10
