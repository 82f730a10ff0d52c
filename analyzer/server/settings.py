# SPDX-License-Identifier: GPL-2.0-only
"""What an editor asks for: which tree a folder belongs to, and what is checked in it.

In: the command's options, a folder, the editor's settings (`{"under": ["virt/kvm"]}`). Out: `CheckOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from analyzer.base.errors import InputError
from analyzer.pipeline.options import CheckOptions

_DATABASE = "compile_commands.json"
#: what the top of a kernel tree has, built or not
_TOP = ("Kbuild", "Kconfig", "MAINTAINERS")


class Settings(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`initializationOptions`; what is left out is as on the command line."""

    build: str | None = None
    compile_commands: str | None = None
    specs: list[str] | None = None
    rules: list[str] | None = None
    under: list[str] | None = None


def read_settings(value: object) -> Settings:
    """Read the editor's settings; raise `InputError`."""
    if value is None:
        return Settings()
    try:
        return msgspec.convert(value, Settings)
    except msgspec.ValidationError as error:
        raise InputError(f"initializationOptions: {error}") from error


def tree_of(folder: Path) -> Path:
    """Return the tree that a folder lies in: the nearest one above with a compile database, else a kernel's top."""
    above = (folder, *folder.parents)
    compiled = next((one for one in above if (one / _DATABASE).is_file()), None)
    top = next((one for one in above if all((one / name).exists() for name in _TOP)), None)
    return compiled or top or folder


def options_for(given: CheckOptions, tree: Path, settings: Settings) -> CheckOptions:
    """Return the options for one tree."""
    chosen: Mapping[str, object] = {
        "tree": tree,
        "build": _path(settings.build, tree) or given.build,
        "compile_commands": _path(settings.compile_commands, tree) or given.compile_commands,
        "specs": tuple(tree / path for path in settings.specs) if settings.specs is not None else given.specs,
        "rules": tuple(settings.rules) if settings.rules is not None else given.rules,
        "under": tuple(settings.under) if settings.under is not None else given.under,
    }
    return replace(given, **chosen)


def _path(text: str | None, tree: Path) -> Path | None:
    return None if text is None else tree / text
