# SPDX-License-Identifier: GPL-2.0-only
"""Specification files on disk.

In: paths of files and folders, or nothing for the shipped ones. Out: `SpecFile`s, each with a name for people.

**Invariant:** the order of the files does not depend on the file system.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from analyzer.base.errors import SpecError
from analyzer.base.location import Location

#: all shipped files together are a twentieth of it
MAX_BYTES = 1 << 20

_PACKAGE = Path(__file__).resolve().parent.parent


class SpecFile(Struct, frozen=True):
    """A file that is to be read."""

    path: Path
    #: as locations spell it: below the shipped folder `lockspecs/…`, else as given
    name: str


def shipped_folder() -> Path:
    """Find the shipped specifications: beside the package in a checkout, inside it in a wheel."""
    for folder in (_PACKAGE / "_data" / "lockspecs", _PACKAGE.parent / "lockspecs"):
        if folder.is_dir():
            return folder
    raise SpecError(f"the shipped lock specifications are missing: no folder lockspecs beside {_PACKAGE}")


def shipped_files() -> list[SpecFile]:
    """List the shipped files."""
    return [SpecFile(path, _name(path)) for path in _yaml_below(shipped_folder())]


def given_files(paths: Iterable[Path]) -> list[SpecFile]:
    """List the files that `paths` name, with everything named *.yaml below the folders among them."""
    files: list[SpecFile] = []
    for path in paths:
        if path.is_dir():
            below = _yaml_below(path)
            if not below:
                raise SpecError(f"{path}: no file named *.yaml in this folder")
            files += [SpecFile(file, _name(file)) for file in below]
        else:
            files.append(SpecFile(path, _name(path)))
    seen: dict[Path, SpecFile] = {}
    for file in files:
        seen.setdefault(file.path.resolve(), file)
    return list(seen.values())


def read_text(file: SpecFile) -> str:
    """Read a file; raise SpecError where it is not readable, too large or not UTF-8."""
    try:
        with file.path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SpecError(f"{file.name}: cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise SpecError(f"{file.name}: larger than {MAX_BYTES >> 20} MiB: this is no lock specification")
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        place = Location(file.name, line, column)
        raise SpecError(f"byte 0x{data[error.start]:02x} is not UTF-8", place) from None


def _name(path: Path) -> str:
    """Spell a shipped file the same way wherever the package lies, any other as it was given."""
    shipped = shipped_folder()
    resolved = path.resolve()
    return f"lockspecs/{resolved.relative_to(shipped).as_posix()}" if resolved.is_relative_to(shipped) else str(path)


def _yaml_below(folder: Path) -> list[Path]:
    return sorted((path for path in folder.rglob("*.yaml") if path.is_file()), key=lambda path: path.as_posix())
