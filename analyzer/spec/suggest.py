# SPDX-License-Identifier: GPL-2.0-only
"""The "did you mean" of error messages.

In: `feild` and the words that would be right. Out: ` (did you mean 'field'?)`, or nothing if none is near.
"""

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Name the nearest of `known`, as an insertion with its leading space."""
    import difflib  # only needed on the way out with an error

    near = difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=0.7)
    return f" (did you mean '{near[0]}'?)" if near else ""
