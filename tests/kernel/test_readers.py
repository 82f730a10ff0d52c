# SPDX-License-Identifier: GPL-2.0-only
"""What the review of 2024 argued about guest_memfd is found by itself; with readers in a section, nothing is."""

import pytest

from tests.kernel.conftest import NewFindings
from tests.kernel.readers import BEFORE_2024, IN_SECTION, RULE
from tests.kernel.test_edits import goes, lines

pytestmark = pytest.mark.kernel


def test_the_grace_period_did_not_wait_for_the_readers(new_findings: NewFindings) -> None:
    found = [finding for finding in new_findings(BEFORE_2024) if finding.rule == RULE]
    (finding,) = [finding for finding in found if goes(finding, BEFORE_2024.way)]
    assert finding.verdict == "violation"
    assert finding.message.startswith("read of kvm_memory_slot.gmem.file outside rcu: the grace period at virt/kvm/")
    assert "does not wait for it" in finding.message
    assert "kvm_gmem_unbind()" in finding.message
    assert not any(step.text.startswith("takes rcu") for step in finding.witness)
    assert {step.thread for step in finding.witness} == {0, 1, 2}
    assert len(found) == 1, lines(found)


def test_a_section_around_the_reader_is_enough(new_findings: NewFindings) -> None:
    found = [finding for finding in new_findings(IN_SECTION) if finding.rule == RULE]
    assert not found, lines(found)
