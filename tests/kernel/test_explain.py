# SPDX-License-Identifier: GPL-2.0-only
"""The maintainers' table of the real tree: who writes and reads the guest_memfd file of a memslot, under which locks."""

from pathlib import Path

import pytest

from analyzer.findings.explanation import Explanation, Site
from analyzer.pipeline.explain import explain
from analyzer.pipeline.options import CheckOptions, Silent

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def table(tree: Path, cache: Path) -> Explanation:
    return explain(CheckOptions(tree=tree, cache=cache, jobs=2), "kvm_memory_slot.gmem.file", Silent())


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
