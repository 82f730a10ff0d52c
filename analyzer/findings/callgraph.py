# SPDX-License-Identifier: GPL-2.0-only
"""What `lockspec callgraph` tells, as values.

In: nothing. Out: `CallGraphExport`, the whole graph; `Neighbours`, `Paths`, `Unresolved`, `Stats` for one question each.

**Invariant:** everything stands in the order in which it is to be read; renderers do not sort.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from analyzer.base.location import Location


class GraphFunction(Struct, frozen=True):
    """A function that some unit defines or declares."""

    #: `virt/kvm/guest_memfd.c:kvm_gmem_release`
    id: str
    name: str
    #: of the name in its definition, else in its declaration; line 0 where neither is known
    location: Location
    defined: bool


class GraphEdge(Struct, frozen=True):
    """A call site with one of its targets."""

    #: function ids
    caller: str
    callee: str
    #: `direct`, `indirect`, `static_call`, `callback`, `deferred`, `remote`, `cleanup`
    kind: str
    site: Location
    #: what holds the function's address: `file_operations.release`; empty for a direct call
    via: str = ""


class UnresolvedSite(Struct, frozen=True):
    """An indirect call that is not known to reach certain functions."""

    #: function id
    caller: str
    site: Location
    #: what is called, as C: `it->func`
    expression: str
    #: one clause for people
    cause: str
    #: type of the called function, spelled; the next two are told by type
    type: str = ""
    #: how many functions of that type have their address taken somewhere: any of them may be what is called
    n_hidden: int = 0
    #: some of these, by name
    hidden: tuple[str, ...] = ()


class CallGraphExport(Struct, frozen=True):
    """The whole call graph."""

    functions: tuple[GraphFunction, ...]
    edges: tuple[GraphEdge, ...]
    unresolved: tuple[UnresolvedSite, ...]
    #: indirect calls whose targets callers choose: `callback` edges begin at those
    chosen: tuple[UnresolvedSite, ...] = ()


class Link(Struct, frozen=True):
    """All call edges from one function to another."""

    caller: GraphFunction
    callee: GraphFunction
    edges: tuple[GraphEdge, ...]


class Branching(Struct, frozen=True):
    """A function in a tree of callers or callees."""

    #: to or from the function one step nearer to the root
    link: Link
    #: the next step away from the root
    further: tuple[Branching, ...] = ()
    #: it has some, shown elsewhere in the tree
    repeated: bool = False


class Neighbours(Struct, frozen=True):
    """Who calls a function, or whom it calls."""

    function: GraphFunction
    direction: Literal["callers", "callees"]
    branches: tuple[Branching, ...]
    #: calls in `function` without a target of their own, those too whose targets callers choose; none for `callers`
    unresolved: tuple[UnresolvedSite, ...] = ()
    #: how the outside world gets into `function`; empty where it does not, and for `callees`
    entry: str = ""
    #: ids of other definitions under the same file and name, which other units see
    variants: tuple[str, ...] = ()


class Paths(Struct, frozen=True):
    """Simple paths from one function to another, the shortest first."""

    start: GraphFunction
    end: GraphFunction
    paths: tuple[tuple[Link, ...], ...]
    #: there are more than `paths`, of at most `max_length` calls
    more: bool
    max_length: int
    #: length of the shortest path, whatever `max_length` is; None if there is none
    shortest: int | None


class UnresolvedSites(Struct, frozen=True):
    """Calls without a known target, those first behind which most functions may hide."""

    sites: tuple[UnresolvedSite, ...]
    #: how many there are, `sites` and those left out
    n_sites: int


class Mechanism(Struct, frozen=True):
    """Indirect call sites of one sort."""

    #: `static call`, `member`, `parameter`, …
    name: str
    n_sites: int
    #: with one target or more
    n_resolved: int
    #: targets of a resolved site; 0 where there is none
    median: float
    mean: float
    most: int


class Stats(Struct, frozen=True):
    """The call graph in numbers."""

    n_units: int
    n_defined: int
    n_declared: int
    #: call sites that name a function
    n_direct_sites: int
    #: of these, into functions that no unit defines
    n_external_sites: int
    n_indirect_sites: int
    #: indirect sites without a target in these units, of which it is known where the target is given
    n_outside_sites: int
    #: indirect sites without a target otherwise
    n_unresolved_sites: int
    #: indirect sites that may reach every function of their type whose address cannot be followed
    n_widened_sites: int
    #: edges by kind, in alphabetical order
    edges: tuple[tuple[str, int], ...]
    #: pairs of functions with an edge
    n_pairs: int
    mechanisms: tuple[Mechanism, ...]
    #: all mechanisms together
    indirect: Mechanism
    #: call sites that hand a function to another that calls it: by kind of edge
    handed: tuple[Mechanism, ...]
    #: functions that the outside world may enter
    n_entries: int
    #: linking, extraction not counted
    link_seconds: float
    #: processor time of the same
    link_cpu_seconds: float
    #: most memory that the process has taken
    peak_bytes: int
