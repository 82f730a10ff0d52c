# SPDX-License-Identifier: GPL-2.0-only
"""The small C expressions in specifications: predicates, tests of a return value, facts, names.

In: `refcount_read(&kvm->users_count) == 0`. Out: `When(function="refcount_read", field=("kvm", "users_count"), …)`.

**Invariant:** an expression that is not understood in full is refused (ValueError, its argument being advice).
"""

from __future__ import annotations

import re

from analyzer.base.location import Location
from analyzer.spec.assumed import Condition
from analyzer.spec.effect import ArgumentTest, LockArgument, ReturnTest
from analyzer.spec.model import Name, When

_WORD = r"[A-Za-z_][A-Za-z0-9_]*"
_PATH = rf"{_WORD}(?:\s*->\s*{_WORD}(?:\s*\.\s*{_WORD})*)?"
_COMPARE = r"(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>-?(?:0[xX][0-9a-fA-F]+|[0-9]+)|NULL)"

#: a record and its members, or one global; JSON Schema shares it
NAME_PATTERN = rf"{_WORD}(?:\.{_WORD})*"
PREDICATE_PATTERN = (
    rf"\s*(?:(?P<function>{_WORD})\s*\(\s*&\s*(?P<argument>{_PATH})\s*\)|(?P<path>{_PATH}))\s*{_COMPARE}\s*"
)
RETURN_PATTERN = rf"\s*return\s*{_COMPARE}\s*"
FACT_PATTERN = rf"\s*(?P<function>{_WORD})\s*\(\s*arg\s+(?P<index>[0-9]+)\s*\)\s*{_COMPARE}\s*"
ARGUMENT_PATTERN = r"arg +(?P<index>[0-9]+)"
LOCK_PATTERN = rf"arg +(?P<index>[0-9]+)(?: *-> *(?P<record>{_WORD})\.(?P<member>{_WORD}))?"
SETS_PATTERN = r"\s*arg\s+(?P<index>[0-9]+)\s*==\s*(?P<value>-?(?:0[xX][0-9a-fA-F]+|[0-9]+))\s*"
CONDITION_PATTERN = (
    rf"\s*(?:arg +(?P<index>[0-9]+)(?:\s*->\s*(?P<member>{_WORD}(?:\.{_WORD})+))?|(?P<global>{_WORD}))\s*{_COMPARE}\s*"
)
HOLDER_PATTERN = rf"\s*arg +(?P<index>[0-9]+)(?: +in +(?P<member>{_WORD}(?:\.{_WORD})+))?\s*"
BITS_PATTERN = r"\s*arg\s+(?P<index>[0-9]+)\s*&\s*(?P<mask>0[xX][0-9a-fA-F]+|[0-9]+)\s*"

_NAME = re.compile(NAME_PATTERN)
_PREDICATE = re.compile(PREDICATE_PATTERN)
_RETURN = re.compile(RETURN_PATTERN)
_FACT = re.compile(FACT_PATTERN)
_ARGUMENT = re.compile(ARGUMENT_PATTERN)
_BITS = re.compile(BITS_PATTERN)
_LOCK = re.compile(LOCK_PATTERN)
_SETS = re.compile(SETS_PATTERN)
_CONDITION = re.compile(CONDITION_PATTERN)
_HOLDER = re.compile(HOLDER_PATTERN)
#: until who reads the text knows where it stands
_NOWHERE = Location("", 0)


def parse_name(text: str) -> Name:
    """Read `kvm_memory_slot.gmem.file`, or `kvm_lock`."""
    if _NAME.fullmatch(text):
        return Name(tuple(text.split(".")))
    guess = re.sub(r"^\s*&|\[[^]]*\]|^\s*(struct|union)\s+|\(\)|\s", "", text).replace("->", ".")
    raise ValueError(f"write '{guess}'" if _NAME.fullmatch(guess) else "")


def parse_predicate(text: str) -> tuple[When, int]:
    """Read a predicate; return it with the offset of the field's name in `text`."""
    match = _PREDICATE.fullmatch(text)
    if not match:
        raise ValueError(_predicate_advice(text))
    group = "argument" if match["argument"] else "path"
    field = Name(tuple(re.split(r"->|\.", re.sub(r"\s", "", match[group]))))
    when = When(" ".join(text.split()), match["function"] or "", field, match["operator"], _number(match["value"]))
    return when, match.start(group)


def parse_return_test(text: str) -> ReturnTest:
    """Read `return == 0`."""
    match = _RETURN.fullmatch(text)
    if not match:
        raise ValueError
    return ReturnTest(match["operator"], _number(match["value"]))


def parse_fact(text: str) -> tuple[str, int, str, int]:
    """Read `refcount_read(arg 0) == 0`."""
    match = _FACT.fullmatch(text)
    if not match:
        raise ValueError
    return match["function"], int(match["index"]), match["operator"], _number(match["value"])


def parse_argument(text: str) -> int:
    """Read `arg 0`: a 0-based position."""
    match = _ARGUMENT.fullmatch(text.strip())
    if not match:
        raise ValueError
    return int(match["index"])


def parse_bits(text: str) -> tuple[int, int]:
    """Read `arg 1 & 0x400`: a position and a mask with at least one bit."""
    match = _BITS.fullmatch(text)
    if not match:
        raise ValueError
    mask = _number(match["mask"])
    if not mask:
        raise ValueError("no bit is in 0")
    return int(match["index"]), mask


def parse_lock(text: str) -> LockArgument:
    """Read `arg 0`, or `arg 0->mm_struct.mmap_lock`: a member of what the argument points to."""
    match = _LOCK.fullmatch(text.strip())
    if not match:
        raise ValueError
    return LockArgument(int(match["index"]), (match["record"], match["member"]) if match["record"] else None)


def parse_sets(text: str) -> ArgumentTest:
    """Read `arg 5 == 0`."""
    match = _SETS.fullmatch(text)
    if not match:
        raise ValueError
    return ArgumentTest(int(match["index"]), _number(match["value"]))


def parse_condition(text: str) -> Condition:
    """Read `arg 1->kvm_mmu_page.role.invalid != 0`, `arg 1 == 0` or `kvm_rebooting != 0`."""
    match = _CONDITION.fullmatch(text)
    if not match:
        raise ValueError(_condition_advice(text))
    path = match["member"] or match["global"]
    index = None if match["index"] is None else int(match["index"])
    parts = tuple(path.split(".")) if path else ()
    return Condition(" ".join(text.split()), index, parts, match["operator"], _number(match["value"]), _NOWHERE)


def parse_holder(text: str) -> tuple[int, tuple[str, ...]]:
    """Read `arg 1`, or `arg 1 in kvm_lapic.dev`: the record of which the argument points to this member."""
    match = _HOLDER.fullmatch(text)
    if not match:
        raise ValueError
    return int(match["index"]), tuple(match["member"].split(".")) if match["member"] else ()


def _number(text: str) -> int:
    if text == "NULL":
        return 0
    digits = text.lstrip("-")
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits, 8 if digits[0] == "0" else 10)
    return -value if text[0] == "-" else value


def _predicate_advice(text: str) -> str:
    if re.search(r"&&|\|\|", text):
        return "one comparison; combine with any: and all:"
    if text.count("->") > 1:
        return "begin with the tag of the record that holds the field; one '->'"
    if re.match(rf"\s*{_WORD}\s*\(\s*[^&\s]", text):
        return "the function takes the field's address: write '&'"
    if not re.search(r"[=<>]", text.replace("->", "")):
        return "compare with a number"
    return ""


def _condition_advice(text: str) -> str:
    if re.search(r"&&|\|\|", text):
        return "one comparison; a list of them holds if all do"
    if re.match(rf"\s*{_WORD}\s*->", text):
        return "name the argument: 'arg 0->record.member'"
    if re.match(rf"\s*arg +[0-9]+\s*->\s*{_WORD}\s*(?:[=!<>]|$)", text):
        return "begin with the tag of the record that the argument points to: 'arg 0->record.member'"
    if not re.search(r"[=<>]", text.replace("->", "")):
        return "compare with a number"
    return ""
