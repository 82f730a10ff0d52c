# SPDX-License-Identifier: GPL-2.0-only
"""Facts as bytes.

In: `UnitFacts(…)`. Out: MessagePack under a checksum, and back without loss.

**Invariant:** equal values have equal bytes, so that bytes can be content-addressed.
**Invariant:** bytes that were damaged raise `DamagedError`; they never become another value.
"""

from __future__ import annotations

from zlib import crc32

import msgspec
from msgspec import Struct, structs

from analyzer.base.gap import Gap
from analyzer.facts.unit import AddressTaken, FunctionFacts, GlobalVariable, Initialiser, UnitFacts
from analyzer.ir.function import FunctionIR

#: names that a function's lowering looked up outside it, with the digest of what each meant ("" for nothing)
Trace = tuple[tuple[str, str], ...]

_CHECKSUM_BYTES = 4


class DamagedError(Exception):
    """Stored bytes are not what was stored; the store is to be rebuilt, the user is not to be bothered."""


class FunctionOutline(Struct, frozen=True, array_like=True):
    """`FunctionFacts` without the IR, which is nine tenths of its bytes; the other fields in the same order."""

    calls: tuple[str, ...]
    fields: tuple[str, ...]
    globals: tuple[str, ...]
    address_taken: tuple[AddressTaken, ...]
    gaps: tuple[Gap, ...]
    digest: str
    statics: tuple[GlobalVariable, ...]
    initialisers: tuple[Initialiser, ...]

    def with_ir(self, ir: FunctionIR) -> FunctionFacts:
        """Return the whole facts."""
        return FunctionFacts(ir, *structs.astuple(self))


def outline_of(facts: FunctionFacts) -> FunctionOutline:
    """Return the facts without the IR."""
    return FunctionOutline(*structs.astuple(facts)[1:])


_encoder = msgspec.msgpack.Encoder()
_units = msgspec.msgpack.Decoder(UnitFacts)
_outlines = msgspec.msgpack.Decoder(FunctionOutline)
_irs = msgspec.msgpack.Decoder(FunctionIR)
_traces = msgspec.msgpack.Decoder(Trace)


def seal(data: bytes) -> bytes:
    """Put a checksum before `data`."""
    return crc32(data).to_bytes(_CHECKSUM_BYTES, "little") + data


def unseal(data: object) -> bytes:
    """Return what was sealed; raise `DamagedError` if it changed since, or never was."""
    if isinstance(data, bytes):
        inner = data[_CHECKSUM_BYTES:]
        if data[:_CHECKSUM_BYTES] == crc32(inner).to_bytes(_CHECKSUM_BYTES, "little"):
            return inner
    raise DamagedError("checksum")


def encode_unit(facts: UnitFacts) -> bytes:
    """Encode a unit's facts."""
    return _encoder.encode(facts)


def decode_unit(data: bytes) -> UnitFacts:
    """Decode a unit's facts; raise `DamagedError`."""
    try:
        return _units.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DamagedError(str(error)) from error


def encode_outline(outline: FunctionOutline) -> bytes:
    """Encode a function's outline."""
    return _encoder.encode(outline)


def encode_ir(ir: FunctionIR) -> bytes:
    """Encode a function's IR."""
    return _encoder.encode(ir)


def decode_outline(data: bytes) -> FunctionOutline:
    """Decode a function's outline; raise `DamagedError`."""
    try:
        return _outlines.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DamagedError(str(error)) from error


def decode_ir(data: bytes) -> FunctionIR:
    """Decode a function's IR; raise `DamagedError`."""
    try:
        return _irs.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DamagedError(str(error)) from error


def encode_trace(trace: Trace) -> bytes:
    """Encode a verifying trace."""
    return _encoder.encode(trace)


def decode_trace(data: bytes) -> Trace:
    """Decode a verifying trace; raise `DamagedError`."""
    try:
        return _traces.decode(data)
    except msgspec.DecodeError as error:
        raise DamagedError(str(error)) from error
