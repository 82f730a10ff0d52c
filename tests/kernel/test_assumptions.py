# SPDX-License-Identifier: GPL-2.0-only
"""The assumptions about the real tree: each is needed, and hides nothing where its condition is not known to hold."""

from pathlib import Path

import pytest

from analyzer.findings.model import Finding
from analyzer.pipeline.lint import lint
from analyzer.pipeline.options import CheckOptions, Silent
from tests.kernel.cases import MMU, Case, within
from tests.kernel.conftest import NewFindings, run
from tests.kernel.edit import Text
from tests.kernel.test_edits import lines

pytestmark = pytest.mark.kernel

DROP = "if (!--sp->root_count && sp->role.invalid)"
CASES = (
    Case(
        name="mmu: a root is zapped whether it is invalid or not",
        changes=within(MMU, Text("mmu_free_root_page", DROP, "if (!--sp->root_count)")),
    ),
    Case(
        name="mmu: a root is zapped that is not invalid",
        changes=within(MMU, Text("mmu_free_root_page", DROP, "if (!--sp->root_count && !sp->role.invalid)")),
    ),
    Case(
        name="mmu: a root is made valid before it is zapped",
        changes=within(MMU, Text("mmu_free_root_page", DROP, f"{DROP}\n\t\t\tsp->role.invalid = 0;\n\t\tif (!sp->root_count)")),
    ),
    Case(
        name="mmu: entries are cleared that are not known to be an invalid page's",
        changes=within(
            MMU,
            Text(
                "mmu_free_root_page",
                "\tsp = root_to_sp(*root_hpa);",
                "\tsp = root_to_sp(*root_hpa);\n\tif (sp)\n\t\tkvm_mmu_page_unlink_children(kvm, sp, invalid_list);",
            ),
        ),
    ),
)  # fmt: skip
HARMLESS = Case(
    name="mmu: the mark is read into a local before",
    changes=within(
        MMU,
        Text(
            "mmu_free_root_page",
            f"\t\t{DROP}",
            "\t\tbool invalid = sp->role.invalid;\n\n\t\tif (!--sp->root_count && invalid)",
        ),
    ),
)


def about(found: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule and finding.verdict == "violation"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_hides_nothing_where_it_is_not_about(case: Case, new_findings: NewFindings) -> None:
    found = new_findings(case)
    for rule in ("kernel/contract-dereference", "kvm/shadow-count"):
        assert about(found, rule), lines(found) or "nothing new"


def test_it_holds_however_the_condition_is_written(new_findings: NewFindings) -> None:
    found = new_findings(HARMLESS)
    assert not found, lines(found)


def test_the_report_says_what_was_assumed(tree: Path, cache: Path) -> None:
    assert [(one.id, one.n_places) for one in run(tree, cache).assumed] == [
        ("kvm/invalid-page-has-no-children", 2),
        ("kvm/apic-of-its-vcpu", 2),
    ]


def test_nothing_needless_is_assumed(tree: Path, cache: Path) -> None:
    found = lint(CheckOptions(tree=tree, cache=cache), Silent())
    assert found == (), "\n".join(map(str, found))
