# SPDX-License-Identifier: GPL-2.0-only
"""The revisions of a tree that git keeps, read from git's objects.

In: a directory of a git work tree, names of commits. Out: what changed between two of them; the tree at one of them, as
a `Snapshot` of the work tree.

    Repository(Path("linux")).changes(base, head)  →  (Change("R", "/linux/virt/kvm/a.c", "/linux/virt/kvm/b.c"), …)

**Invariant:** the work tree, the index and the objects are not written to, and nothing is checked out.
**Invariant:** a name that git does not know is an `InputError` that says what to do.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from analyzer.base.errors import InputError
from analyzer.source import git
from analyzer.source.git import GitError
from analyzer.source.snapshot import Snapshot

_FULL = "rev-parse", "--verify", "--quiet", "--end-of-options"
_COMPARE = ("diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all",
            "--no-relative", "--no-color", "--src-prefix=", "--dst-prefix=")  # fmt: skip
#: modes of files; others are symbolic links and submodules
_FILES = frozenset({"100644", "100755"})
_LINK = "120000"
_NOTHING = "000000"


class Change(Struct, frozen=True):
    """A file that differs between two revisions; paths are absolute."""

    #: `A`dded, `D`eleted, `M`odified, `R`enamed, perhaps with changes
    status: str
    #: the path before and after; equal unless renamed
    old: str
    new: str
    #: it is a symbolic link, or was one: a snapshot has what lies on disk
    is_link: bool = False


class Untracked(Struct, frozen=True):
    """Files that git does not know; paths are absolute."""

    new: tuple[str, ...] = ()
    #: those of which it cannot be told when they came
    undated: tuple[str, ...] = ()


class _Row(Struct, frozen=True):
    """A line of git's raw form."""

    old_mode: str
    new_mode: str
    #: of the old content
    blob: str
    status: str
    old: str
    new: str


class Repository:
    """The git repository that a tree lies in; raise `InputError` where there is none."""

    def __init__(self, tree: Path) -> None:
        self._tree = tree
        try:
            known = git.run(tree, "rev-parse", "--is-inside-work-tree", "--is-shallow-repository", "--show-prefix")
        except GitError as error:
            raise InputError(f"{tree}: {error}; diff needs a tree in a git work tree") from None
        inside, shallow, prefix = os.fsdecode(known).split("\n")[:3]
        if inside != "true":
            raise InputError(f"{tree}: not a git work tree; diff needs one")
        self._shallow = shallow == "true"
        #: the repository's top as the tree's path spells it, where that is possible
        absolute = os.path.normpath(tree.absolute())
        depth = prefix.count("/")
        physical = os.path.realpath(absolute)
        whole = absolute.endswith("/" + prefix.rstrip("/")) or not depth
        self._top = Path(absolute if whole else physical)
        for _ in range(depth):
            self._top = self._top.parent

    def commit(self, option: str, name: str) -> str:
        """Return the full hash of the commit that `name`, given by `option`, stands for."""
        try:
            return git.run(self._tree, *_FULL, f"{name}^{{commit}}").decode().strip()
        except GitError:
            fetch = "; the clone is shallow: fetch more of it, as with git fetch --deepen=100" if self._shallow else ""
            raise InputError(f"{option} {name}: git knows no such commit in {self._tree}{fetch}") from None

    def merge_base(self, base: str, head: str) -> str:
        """Return the commit where `head` left `base`, both full hashes."""
        try:
            return git.run(self._tree, "merge-base", base, head).decode().strip()
        except GitError:
            fetch = "the clone is shallow: fetch more of it, as with git fetch --unshallow; or " * self._shallow
            raise InputError(
                f"{self._tree}: --base {base[:12]} and {head[:12]} have no commit in common; {fetch}"
                "--exact compares with --base itself"
            ) from None

    def changes(self, base: str, head: str | None) -> tuple[Change, ...]:
        """Return what differs between two commits, or between one and the work tree; renames are found."""
        rows = self._compare("--find-renames", base, *([head] if head else []))
        return tuple(
            Change(
                "M" if row.status == "T" else row.status,
                self._path(row.old),
                self._path(row.new),
                _LINK in (row.old_mode, row.new_mode),
            )
            for row in rows
        )

    def snapshot(self, commit: str, place: Path) -> Snapshot:
        """Return the tree at `commit`; contents that are not on disk are put into the directory `place`."""
        rows = list(self._compare("--no-renames", commit))
        there = [row for row in rows if row.old_mode in _FILES]
        contents = self._contents([row.blob for row in there], place)
        absent = [self._path(row.old) for row in rows if row.old_mode == _NOTHING and row.new_mode in _FILES]
        return Snapshot(
            contents=tuple((self._path(row.old), content) for row, content in zip(there, contents, strict=True)),
            absent=tuple(absent),
        )

    def untracked(self, paths: Iterable[str], commit: str) -> Untracked:
        """Tell what those of `paths` are that git neither tracks nor ignores, nor has at `commit`.

        A file is new if git tracks most of what stands beside it; where it tracks little, nothing can be said.
        """
        top = os.path.realpath(self._top)
        physical = {os.path.realpath(path): path for path in paths}
        inside = {os.path.relpath(real, top): path for real, path in physical.items() if Path(real).is_relative_to(top)}
        if not inside:
            return Untracked()
        tracked = set(os.fsdecode(self._run("ls-files", "-z", "--full-name", "--", ":/")).split("\0"))
        candidates = [name for name in inside if name not in tracked and Path(inside[name]).is_file()]
        known = set(self._names_at(commit, candidates)) | set(self._ignored(candidates))
        left = [name for name in candidates if name not in known]
        folders = Counter(map(os.path.dirname, tracked))
        beside = Counter(map(os.path.dirname, left))
        new = [name for name in left if folders[os.path.dirname(name)] >= beside[os.path.dirname(name)]]  # noqa: PTH120
        return Untracked(
            tuple(inside[name] for name in new),
            tuple(inside[name] for name in left if name not in new),
        )

    def _names_at(self, commit: str, names: Sequence[str]) -> Iterable[str]:
        if not names:
            return ()
        listing = self._run("ls-tree", "-z", "--full-tree", "--name-only", commit, "--", *names)
        return os.fsdecode(listing).split("\0")

    def _ignored(self, names: Sequence[str]) -> Iterable[str]:
        if not names:
            return ()
        try:
            given = b"\0".join(map(os.fsencode, names))
            return os.fsdecode(git.run(self._top, "check-ignore", "-z", "--stdin", given=given)).split("\0")
        except GitError as error:
            if error.status == 1:
                return ()
            raise InputError(f"{self._top}: git: {error}") from None

    def _compare(self, *arguments: str) -> Iterator[_Row]:
        """Yield what `git diff` finds; conflicts that are not resolved are told as what lies on disk."""
        words = os.fsdecode(self._run(*git.unfiltered(self._tree), *_COMPARE, *arguments, "--"))
        parts = iter(words.split("\0"))
        for head in parts:
            if not head:
                break
            old_mode, new_mode, blob, _, status = head.removeprefix(":").split(" ")
            old = next(parts)
            new = next(parts) if status[0] in "RC" else old
            if status[0] != "U":
                yield _Row(old_mode, new_mode, blob, status[0], old, new)

    def _contents(self, blobs: Sequence[str], place: Path) -> list[Path]:
        """Write the contents of `blobs` below `place`; return where each is."""
        wanted = list(dict.fromkeys(blobs))
        data = self._run("cat-file", "--batch", given="".join(f"{blob}\n" for blob in wanted).encode())
        found: dict[str, Path] = {}
        at = 0
        for blob in wanted:
            end = data.index(b"\n", at)
            head = data[at:end].split(b" ")
            if len(head) != 3 or head[1] != b"blob":
                raise InputError(f"{self._tree}: git has no content of {blob}: fetch it, or run git fsck")
            size = int(head[2])
            found[blob] = place / blob
            found[blob].write_bytes(data[end + 1 : end + 1 + size])
            at = end + 1 + size + 1
        return [found[blob] for blob in blobs]

    def _path(self, name: str) -> str:
        return f"{self._top}/{name}"

    def _run(self, *arguments: str, given: bytes | None = None) -> bytes:
        try:
            return git.run(self._tree, *arguments, given=given)
        except GitError as error:
            raise InputError(f"{self._tree}: git: {error}") from None
