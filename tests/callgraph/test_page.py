# SPDX-License-Identifier: GPL-2.0-only
"""The page in a real browser: search, unfold, keys, colours, hostile names, size, and no request to the network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.base.location import Location
from analyzer.findings.callgraph import CallGraphExport, GraphEdge, GraphFunction
from analyzer.pipeline.callgraph import CallGraphView
from analyzer.report import graph_renderer
from tests.callgraph import chromium
from tests.callgraph.chromium import Page
from tests.callgraph.conftest import HOSTILE

FOCUSED = "document.activeElement.closest('[role=treeitem]').querySelector('.name').textContent"
ADDRESS = "http://127.0.0.1:9/asked"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Give a browser, or skip with the reason."""
    path = chromium.find()
    if path is None:
        pytest.skip("no browser: install chromium, or set LOCKSPEC_CHROMIUM to one like it")
    with chromium.running(path, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page, view: CallGraphView, tmp_path: Path) -> Iterator[Page]:
    """Give the page of the small program, which must ask for nothing and throw nothing whatever is done with it."""
    yield from shown(browser, view.export(), tmp_path)


def shown(browser: Page, graph: CallGraphExport, folder: Path) -> Iterator[Page]:
    path = folder / "graph.html"
    path.write_text(graph_renderer("html")(graph), "utf-8")
    browser.open(path.as_uri())
    yield browser
    assert browser.requests() == [path.as_uri()]
    assert browser.errors() == []


def texts(page: Page, selector: str) -> list[str]:
    found = page.evaluate(f"[...document.querySelectorAll({selector!r})].map((e) => e.textContent)")
    assert isinstance(found, list)
    return found


def search(page: Page, text: str) -> None:
    """Type into the search field what replaces its text."""
    page.evaluate("document.getElementById('query').focus(), document.getElementById('query').select()")
    page.write(text)


def go(page: Page, name: str) -> None:
    """Search a function and take the first found."""
    search(page, name)
    page.press("Enter")
    page.wait_for(f"document.getElementById('name').textContent === {name + '()'!r}")


def test_requests_would_be_seen(browser: Page) -> None:
    browser.open(f"data:text/html,<img src={ADDRESS}>")
    assert ADDRESS in browser.requests()


@pytest.mark.parametrize(
    ("asking", "directive"),
    [
        (f"fetch({ADDRESS!r}).catch(() => 0)", "connect-src"),
        (f"document.body.append(Object.assign(new Image(), {{src: {ADDRESS!r}}}))", "img-src"),
        (
            f"document.body.append(Object.assign(document.createElement('script'), {{src: {ADDRESS!r}}}))",
            "script-src-elem",
        ),
        ("document.body.setAttribute('onclick', '0')", "script-src-attr"),
    ],
)
def test_the_policy_forbids_what_is_not_the_page_itself(
    browser: Page, view: CallGraphView, tmp_path: Path, asking: str, directive: str
) -> None:
    path = tmp_path / "graph.html"
    path.write_text(graph_renderer("html")(view.export()), "utf-8")
    browser.open(path.as_uri())
    told = "addEventListener('securitypolicyviolation', (event) => done(event.effectiveDirective))"
    assert browser.evaluate(f"new Promise((done) => {{ {told}; {asking}; }})") == directive


def test_search(page: Page) -> None:
    assert page.evaluate("document.activeElement.id") == "query"
    page.write("open")
    assert texts(page, "#matches .name") == ["first_open", "second_open"]
    assert texts(page, "#found") == ["2 functions"]
    page.press("ArrowDown", "Enter")
    page.wait_for("!document.getElementById('function').hidden")
    assert texts(page, "#name") == ["second_open()"]
    assert page.evaluate("decodeURIComponent(location.hash)") == "#vendor.c:second_open"


def test_search_finds_files_and_says_when_there_is_nothing(page: Page) -> None:
    search(page, "vendor.c:h")
    assert texts(page, "#matches .name") == ["helper"]
    search(page, "nothing at all")
    assert texts(page, "#found") == ["0 functions"]
    assert page.evaluate("document.getElementById('matches').hidden") is True


def test_the_exact_name_comes_first(page: Page) -> None:
    search(page, "run()")
    assert texts(page, "#matches .name")[0] == "run"


def test_unfold_with_the_keyboard(page: Page) -> None:
    go(page, "start")
    assert texts(page, "#callees .name") == ["run"]
    assert page.evaluate(FOCUSED) == "run"
    page.press("ArrowRight")
    assert texts(page, "#callees [role=group] .name") == ["put", "first_open", "second_open", "helper", "patched"]
    page.press("ArrowRight", "End")
    last = page.evaluate(FOCUSED)
    page.press("ArrowUp", "ArrowDown")
    assert page.evaluate(FOCUSED) == last
    page.press("ArrowLeft")
    assert page.evaluate(FOCUSED) == "run"
    page.press("ArrowLeft")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"
    assert page.evaluate("document.querySelector('#callees [role=group]').hidden") is True
    page.press("Enter")
    page.wait_for("document.getElementById('name').textContent === 'run()'")


def test_rows_are_made_when_they_are_unfolded(page: Page) -> None:
    go(page, "outside")
    assert texts(page, "#callers .name") == ["helper", "put"]
    page.press("ArrowRight")
    assert texts(page, "#callers [role=group] .name") == ["patched", "run"]


def test_kinds_places_and_slots(page: Page) -> None:
    go(page, "run")
    rows = dict(zip(texts(page, "#callees .name"), texts(page, "#callees .row"), strict=True))
    assert rows["first_open"] == "first_openindirectcore.c:29 through ops.open"
    assert rows["patched"] == "patchedstatic_callcore.c:34 through static_call(work)"
    assert rows["put"] == "putcleanupcore.c:29"
    page.evaluate("document.querySelector('#callees details').open = true")
    page.wait_for("document.querySelectorAll('#callees details li').length === 2")
    assert texts(page, "#unresolved code") == ["ops->close"]


def test_unfold_with_the_mouse(page: Page) -> None:
    go(page, "start")
    page.evaluate("document.querySelector('#callees .row').click()")
    assert len(texts(page, "#callees [role=group] .name")) == 5
    page.evaluate("document.querySelector('#callees .row').click()")
    assert page.evaluate("document.querySelector('#callees [role=group]').hidden") is True


def test_recursion_ends(page: Page) -> None:
    go(page, "walk")
    assert any("walk" in row and "recursive" in row for row in texts(page, "#callees .row"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system(page: Page, scheme: str) -> None:
    page.emulate_colours(scheme)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_names_that_are_markup_are_text(browser: Page, made: CallGraphExport, tmp_path: Path) -> None:
    for page in shown(browser, made, tmp_path):
        search(page, "</script>")
        assert texts(page, "#matches .name") == [HOSTILE]
        page.press("Enter")
        page.wait_for("!document.getElementById('function').hidden")
        assert texts(page, "#name") == [f"{HOSTILE}()"]
        assert texts(page, "#unresolved code") == [HOSTILE]
        assert texts(page, "#callers .via") == [f"through {HOSTILE}"]
        assert page.evaluate("document.images.length") == 0
        go(page, "root")
        assert set(texts(page, "#callees .kind")) == {edge.kind for edge in made.edges}


N_FUNCTIONS, N_CALLERS = 5_000, 4_000


def big() -> CallGraphExport:
    """Make 20,000 edges, 4,000 of them into one function."""
    functions = tuple(GraphFunction(f"f.c:f{i}", f"f{i}", Location("f.c", i + 1), True) for i in range(N_FUNCTIONS))
    pairs = [(i, (i * step + step) % N_FUNCTIONS) for i in range(N_FUNCTIONS) for step in (3, 5, 7)]
    pairs += [(i + 1, 0) for i in range(N_CALLERS)]
    pairs += [(i, i + 1) for i in range(20_000 - len(pairs))]
    edges = tuple(GraphEdge(f"f.c:f{a}", f"f.c:f{b}", "direct", Location("f.c", 1)) for a, b in pairs)
    return CallGraphExport(functions, edges, ())


def test_a_big_graph_stays_quick(browser: Page, tmp_path: Path) -> None:
    began = time.monotonic()
    for page in shown(browser, big(), tmp_path):
        opened = time.monotonic()
        search(page, "f0")
        page.press("Enter")
        page.wait_for("!document.getElementById('function').hidden")
        found = time.monotonic()
        n_rows = len(texts(page, "#callers [role=treeitem]"))
        assert n_rows == 101, "the rest is a row of its own"
        page.evaluate("document.querySelector('#callers [role=treeitem]').focus()")
        page.press("End", "Enter")
        assert len(texts(page, "#callers [role=treeitem]")) == 201
        unfolded = time.monotonic()
        # seconds where hundredths are measured: a busy machine must not fail this, a page that freezes must
        assert opened - began < 20
        assert found - opened < 5
        assert unfolded - found < 5
