# SPDX-License-Identifier: GPL-2.0-only
"""Functions: facts of many functions, decoded when they are asked for.

In: encoded facts from the store. Out: `functions["3fa8…"].ir`.
"""

from __future__ import annotations

from collections.abc import Iterator, KeysView, Mapping

from msgspec import Struct

from analyzer.facts.codec import FunctionOutline, decode_ir, decode_outline
from analyzer.facts.unit import FunctionFacts


class StoredFunction(Struct, frozen=True, array_like=True, gc=False):
    """One function's facts as bytes."""

    #: `FunctionRef.facts_key` without its hexadecimal spelling
    key: bytes
    #: digest of the definition's own text
    text: bytes
    #: encoded verifying trace
    trace: bytes
    #: encoded FunctionOutline
    outline: bytes
    #: encoded FunctionIR
    ir: bytes


class Functions(Mapping[str, FunctionFacts]):
    """Facts by `FunctionRef.facts_key`; reading one raises `DamagedError` if the store passed on what it should not."""

    def __init__(self, stored: Mapping[str, StoredFunction]) -> None:
        self._stored = stored
        self._outlines: dict[str, FunctionOutline] = {}
        self._facts: dict[str, FunctionFacts] = {}

    def __getitem__(self, key: str) -> FunctionFacts:
        facts = self._facts.get(key)
        if facts is None:
            facts = self._facts[key] = self.outline(key).with_ir(decode_ir(self._stored[key].ir))
        return facts

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def __contains__(self, key: object) -> bool:
        return key in self._stored

    def keys(self) -> KeysView[str]:
        """Return the keys; faster than what `Mapping` makes of the above."""
        return self._stored.keys()

    def plus(self, stored: Mapping[str, StoredFunction]) -> Functions:
        """Return these and `stored`; what was decoded stays so."""
        functions = Functions({**self._stored, **stored})
        functions._outlines, functions._facts = self._outlines, self._facts
        return functions

    def joined(self, other: Functions) -> Functions:
        """Return these and `other`."""
        return self.plus(other._stored)

    def outline(self, key: str) -> FunctionOutline:
        """Return the facts without the IR, which is most of the work of decoding."""
        outline = self._outlines.get(key)
        if outline is None:
            outline = self._outlines[key] = decode_outline(self._stored[key].outline)
        return outline
