# SPDX-License-Identifier: GPL-2.0-only
"""One object file, read.

In: a path, and the fields and functions that somebody asks about. Out: `ObjectFacts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analyzer.base.errors import InputError
from analyzer.binary.calls import Code
from analyzer.binary.data import Data
from analyzer.binary.dwarf import Unit, units
from analyzer.binary.image import Image
from analyzer.binary.layout import has_member
from analyzer.binary.model import ObjectFacts


def read_object(
    path: Path, fields: Sequence[tuple[str, ...]] = (), functions: Sequence[str] = ()
) -> ObjectFacts | None:
    """Read `path`; None if it was not made from one source file, or without DWARF.

    Raise `InputError` for what is no object file for x86-64. `fields` are records and members, and one element for a
    global variable.
    """
    image = Image(path)
    found = list(units(image.dwarf)) if image.dwarf is not None else []
    if image.dwarf is None or len(found) != 1:
        return None
    try:
        return _read(path, image, Unit(image.dwarf, found[0]), fields, functions)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: its DWARF cannot be understood: {type(error).__name__}: {error}") from error


def _read(
    path: Path, image: Image, unit: Unit, fields: Sequence[tuple[str, ...]], functions: Sequence[str]
) -> ObjectFacts:
    code = Code(image, unit)
    data = Data(image, unit, code)
    symbols = {symbol.name for address, symbol in image.functions.items() if not unit.chain(address)}
    return ObjectFacts(
        str(path),
        unit.source,
        unit.directory,
        unit.assembly,
        tuple(sorted(symbols | set(unit.entries.values()))),
        tuple(sorted(code.calls)),
        tuple(sorted(unit.inlined)),
        tuple(sorted(data.stored)),
        tuple(sorted(code.loaded)),
        tuple(data.variables()),
        tuple(sorted(field for field in fields if _knows(unit, field))),
        tuple(sorted(name for name in functions if name in unit.functions)),
        code.n_indirect,
    )


def _knows(unit: Unit, field: tuple[str, ...]) -> bool:
    if len(field) == 1:
        return field[0] in unit.named_variables
    record = unit.records.get(field[0])
    return record is not None and has_member(record, field[1:])
