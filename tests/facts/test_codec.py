# SPDX-License-Identifier: GPL-2.0-only
"""Facts as bytes and back."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.facts import codec
from analyzer.facts.codec import DamagedError, FunctionOutline
from analyzer.facts.store import StoredUnit
from analyzer.facts.unit import FunctionFacts


def test_the_outline_is_all_of_the_facts_but_the_ir() -> None:
    assert FunctionFacts.__struct_fields__ == ("ir", *FunctionOutline.__struct_fields__)


def test_function_facts_come_back(function: Callable[[str], FunctionFacts]) -> None:
    facts = function("f")
    outline = codec.decode_outline(codec.encode_outline(codec.outline_of(facts)))
    assert outline.with_ir(codec.decode_ir(codec.encode_ir(facts.ir))) == facts


def test_unit_facts_come_back(unit: Callable[..., StoredUnit]) -> None:
    facts = codec.decode_unit(unit("a.c", "f", "g").facts)
    assert [ref.name for ref in facts.functions] == ["f", "g"]
    assert codec.decode_unit(codec.encode_unit(facts)) == facts


@given(st.binary(max_size=200))
def test_sealed_bytes_come_back(data: bytes) -> None:
    assert codec.unseal(codec.seal(data)) == data


@given(st.binary(min_size=1, max_size=200), st.data())
def test_a_changed_byte_breaks_the_seal(data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(codec.seal(data))
    at = draw.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(DamagedError):
        codec.unseal(bytes(sealed))


@pytest.mark.parametrize("value", [None, 3, "text", b"", b"abc"])
def test_what_was_never_sealed_is_damaged(value: object) -> None:
    with pytest.raises(DamagedError):
        codec.unseal(value)


@pytest.mark.parametrize("decode", [codec.decode_unit, codec.decode_outline, codec.decode_ir, codec.decode_trace])
@pytest.mark.parametrize("data", [b"", b"\x00", b"\xc1", b"\x91" * 100_000, b"\x93\x01\x02"])
def test_bytes_of_another_shape_are_damaged(decode: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(DamagedError):
        decode(data)
