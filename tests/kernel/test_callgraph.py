# SPDX-License-Identifier: GPL-2.0-only
"""The call graph of the real tree: how much of it is known, how fast it is there, and paths that people know."""

import re
from pathlib import Path

import pytest

from analyzer.pipeline.callgraph import CallGraphView, open_call_graph
from analyzer.pipeline.options import CheckOptions, Silent
from analyzer.report import Style, render_paths

README = Path(__file__).parents[2] / "README.md"

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def view(tree: Path, cache: Path) -> CallGraphView:
    """Give the linked program, from facts that are there: linking is what is measured."""
    options = CheckOptions(tree=tree, cache=cache, jobs=2)
    open_call_graph(options, Silent())
    return open_call_graph(options, Silent())


def test_nearly_every_indirect_call_is_known(view: CallGraphView) -> None:
    stats = view.stats()
    known = stats.indirect.n_resolved + stats.n_outside_sites
    assert known >= 0.98 * stats.n_indirect_sites > 500
    assert stats.indirect.median <= 2
    assert stats.indirect.mean <= 6
    assert stats.n_widened_sites < 0.02 * stats.n_indirect_sites


def test_paths_through_the_page_fault_handlers_of_both_vendors(view: CallGraphView) -> None:
    found = view.paths("kvm_vcpu_ioctl", "kvm_gmem_get_pfn", limit=40, max_length=20)
    paths = [[link.callee.name for link in path] for path in found.paths]
    lengths = [len(path) for path in paths]
    assert lengths == sorted(lengths)
    for handler in ("handle_ept_violation", "npf_interception"):
        through = [path for path in paths if handler in path and "kvm_mmu_page_fault" in path]
        assert through, handler
        assert all(path.index(handler) < path.index("kvm_mmu_page_fault") for path in through)


def test_the_readme_shows_a_path_that_is_there(view: CallGraphView) -> None:
    found = view.paths("kvm_vcpu_ioctl", "kvm_gmem_get_pfn", limit=40, max_length=20)
    example = README.read_text("utf-8").split("kvm_gmem_get_pfn` prints:\n\n```\n", 1)[1].split("```", 1)[0]
    # lines move from one release of the tree to the next
    shown = f"calls\n{_without_lines(example)}\n"
    assert shown in _without_lines(render_paths(found, Style()))


def _without_lines(text: str) -> str:
    return re.sub(r":\d+", "", text)
