# SPDX-License-Identifier: GPL-2.0-only
"""What could not be understood in the input.

Extraction never raises on bad C: it returns what it has and the gaps in it, and every report counts them.
"""

from enum import StrEnum

from msgspec import Struct

from analyzer.base.location import Location


class GapKind(StrEnum):
    """Why a part of the input is missing from the facts."""

    #: a translation unit could not be read or preprocessed at all
    UNIT = "unit"
    #: bytes that are not UTF-8 were replaced; the unit goes on around them
    ENCODING = "encoding"
    #: a declaration outside functions did not parse
    DECLARATION = "declaration"
    #: a function body did not parse: the function is skipped
    BODY = "body"
    #: a function parsed but could not be lowered: the function is skipped
    LOWERING = "lowering"
    #: an expression whose meaning is not modelled; the function goes on around it
    EXPRESSION = "expression"
    #: an expression or member whose type could not be found
    TYPE = "type"
    #: inline assembly that names memory operands or jumps
    ASSEMBLY = "assembly"
    #: the analysis gave up on a part of a function (too many paths, no fixpoint)
    ANALYSIS = "analysis"
    #: an overlay of a file that no unit reads has no effect
    OVERLAY = "overlay"
    #: a change between two revisions that their comparison cannot see
    CHANGE = "change"
    #: a shipped rule that names what this kernel does not have: it does not apply
    RULE = "rule"


class Gap(Struct, frozen=True, order=True, array_like=True):
    """One thing that was not understood."""

    #: what sort of thing
    kind: GapKind
    #: where it stands
    location: Location
    #: one line for the user: what it is, and what follows from it
    text: str
