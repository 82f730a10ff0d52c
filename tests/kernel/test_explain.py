# SPDX-License-Identifier: GPL-2.0-only
"""The maintainers' table of the real tree: who writes and reads the guest_memfd file of a memslot, under which locks; all
about the locks of memslots."""

from pathlib import Path

import pytest

from analyzer.findings.explanation import Explanation, Site
from analyzer.findings.lock import LockExplanation
from analyzer.pipeline.explain import explain
from analyzer.pipeline.options import CheckOptions, Silent

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def table(tree: Path, cache: Path) -> Explanation:
    found = explain(CheckOptions(tree=tree, cache=cache, jobs=2), "kvm_memory_slot.gmem.file", Silent())
    assert isinstance(found, Explanation)
    return found


def sites(table: Explanation, access: str, function: str) -> list[Site]:
    return [site for site in table.sites if (site.access, site.function) == (access, function)]


def takers(site: Site, lock: str) -> set[str]:
    """Name the functions that take `lock` on the ways to a site."""
    return {held.function for way in site.ways for held in way.held if held.lock == lock}


def test_the_writers_are_known_and_proven(table: Explanation) -> None:
    writes = [site for site in table.sites if site.access == "write"]
    assert {site.function for site in writes} == {"kvm_gmem_bind", "__kvm_gmem_unbind", "kvm_gmem_release"}
    assert len(sites(table, "write", "kvm_gmem_bind")) == 2
    assert all(site.verdict == "proven" and site.ruled for site in writes)


def test_each_writer_shows_where_its_lock_is_taken(table: Explanation) -> None:
    [release] = sites(table, "write", "kvm_gmem_release")
    assert takers(release, "kvm.slots_lock") == {"kvm_gmem_release"}
    for bind in sites(table, "write", "kvm_gmem_bind"):
        assert "kvm_set_memory_region" in takers(bind, "kvm.slots_lock")
        assert takers(bind, "address_space.invalidate_lock") == {"kvm_gmem_bind"}


def test_the_last_user_needs_no_lock_and_the_table_says_why(table: Explanation) -> None:
    [unbind] = sites(table, "write", "__kvm_gmem_unbind")
    bare = [way for way in unbind.ways if not way.held]
    assert bare
    for way in bare:
        assert "kvm_destroy_vm" in way.functions
        assert way.verdict == "proven"
        assert "users_count" in way.cause


def test_readers_come_from_populate_and_from_page_faults(table: Explanation) -> None:
    ways = [(site, way) for site in sites(table, "read", "__kvm_gmem_get_pfn") for way in site.ways]
    populate = [way for _, way in ways if "kvm_gmem_populate" in way.functions]
    faults = [way for _, way in ways if "kvm_gmem_get_pfn" in way.functions and way.held]
    assert all("kvm.slots_lock" in {held.lock for held in way.held} for way in populate)
    assert populate
    assert sites(table, "read", "kvm_gmem_get_file")
    assert any("kvm.srcu (read)" in {held.lock for held in way.held} for way in faults)


@pytest.fixture(scope="module")
def srcu(tree: Path, cache: Path) -> LockExplanation:
    found = explain(CheckOptions(tree=tree, cache=cache, jobs=2), "kvm.srcu", Silent())
    assert isinstance(found, LockExplanation)
    return found


def test_all_read_sides_and_grace_periods_of_memslots_are_told(srcu: LockExplanation) -> None:
    readers = {one.function for one in srcu.taken if one.mode == "read"}
    assert {"kvm_arch_vcpu_ioctl_run", "vcpu_run", "kvm_msr_allowed", "kvm_zap_gfn_range"} <= readers
    (run,) = [one for one in srcu.taken if one.function == "vcpu_run"]
    assert run.through == ("kvm_vcpu_srcu_read_lock",)
    waits = {one.function for one in srcu.taken if one.mode == "wait"}
    assert {"kvm_swap_active_memslots", "kvm_io_bus_register_dev", "kvm_vm_ioctl_set_msr_filter"} <= waits
    assert not readers & waits


def test_the_places_are_those_that_a_search_finds(tree: Path, cache: Path) -> None:
    """`slots_lock` is taken by plain calls only, so that the text of the units tells how many there are.

    One of them is never reached: what KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP needs is not configured on x86.
    """
    found = explain(CheckOptions(tree=tree, cache=cache, jobs=2), "kvm.slots_lock", Silent())
    assert isinstance(found, LockExplanation)
    units = [*(tree / "virt/kvm").glob("*.c"), *(tree / "arch/x86/kvm").rglob("*.c")]
    searched = {
        (str(path.relative_to(tree)), number)
        for path in units
        for number, text in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if "mutex_lock(&kvm->slots_lock)" in text
    }
    places = {(place.file, place.line) for one in found.taken for place in one.locations}
    assert places <= searched
    assert len(places) == len(searched) - 1 > 20


def test_locks_under_the_read_side_and_those_it_is_waited_for_under(srcu: LockExplanation) -> None:
    inner = {one.lock for one in srcu.inner if one.what == "lock"}
    assert {"kvm.slots_arch_lock", "kvm.mmu_lock"} <= inner
    assert not inner & {"kvm.lock", "kvm.slots_lock", "kvm_vcpu.mutex"}
    assert "kvm.slots_lock" in {one.lock for one in srcu.waited if not one.doubt}
    assert "kvm.slots_arch_lock" not in {one.lock for one in srcu.waited}
    assert "kvm/memslots-read" in {one.note.id for one in srcu.protects}
    assert len(srcu.reached) > 1000


def test_every_function_can_be_asked_about(tree: Path, cache: Path) -> None:
    found = explain(CheckOptions(tree=tree, cache=cache, jobs=2), "vcpu_dy_runnable()", Silent())
    assert isinstance(found, Explanation)
    assert {site.function for site in found.sites} == {"kvm_vcpu_on_spin"}
