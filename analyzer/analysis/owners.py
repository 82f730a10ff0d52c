# SPDX-License-Identifier: GPL-2.0-only
"""Whose lock a rule means: the object of a record that an access or a call is about.

In: an accessed object, or arguments. Out: the object of the record, None if there is no such one or several.
"""

from __future__ import annotations

from analyzer.analysis.terms import Term, pointee
from analyzer.ir.types import CType, Function, Pointer, Record


def owner_on_path(obj: Term, record: str) -> Term | None:
    """Return the object of type `record` that the access path goes through, nearest to the access."""
    while obj[0] in ("F", "I", "C", "O", "ld", "ad"):
        if obj[0] == "F" and obj[2] == record:
            return obj[1]  # type: ignore[no-any-return]
        if obj[0] == "C" and obj[2] == record:
            return obj
        obj = obj[1]
    return None


def owner_in_arguments(arguments: tuple[Term, ...], signature: CType, record: str) -> Term | None:
    """Return what the only argument of type `struct record *` points to."""
    if not isinstance(signature, Function):
        return None
    found = [
        argument
        for argument, ctype in zip(arguments, signature.parameters, strict=False)
        if isinstance(ctype, Pointer) and isinstance(ctype.to, Record) and ctype.to.name == record
    ]
    return pointee(found[0]) if len(found) == 1 else None
