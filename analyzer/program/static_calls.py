# SPDX-License-Identifier: GPL-2.0-only
"""Static calls: calls through a trampoline that is patched at run time.

In: symbol names. Out: the slot of a key. A call of `__SCT__name` goes where `__static_call_update(&__SCK__name, …, f)`
and the key's initialiser let it go.

**Source:** include/linux/static_call_types.h and include/linux/static_call.h (Linux v6.12): the prefixes of trampolines
and keys, and the function that static_call_update() ends in.
"""

_TRAMPOLINE = "__SCT__"
_KEY = "__SCK__"

#: (to patch a key: function, position of the key's address, position of the target)
UPDATE = ("__static_call_update", 0, 2)


def trampoline_slot(function: str) -> tuple[str, str, str] | None:
    """Return the slot that a call of `function` goes through; None if it is no trampoline."""
    return ("s", function.removeprefix(_TRAMPOLINE), "") if function.startswith(_TRAMPOLINE) else None


def key_slot(name: str) -> tuple[str, str, str] | None:
    """Return the slot of the key that is the global `name`; None if it is no key."""
    return ("s", name.removeprefix(_KEY), "") if name.startswith(_KEY) else None
