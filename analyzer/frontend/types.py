# SPDX-License-Identifier: GPL-2.0-only
"""Types: the door to what the frontend knows of C's types.

In: declarations of one unit. Out: types of declarations, members and expressions, sizes, constants.
"""

from analyzer.frontend.types_base import Shape, record_node
from analyzer.frontend.types_expression import Declared, Types, annotations_of, attribute_names, is_noreturn, text_of
from analyzer.frontend.types_names import Entry, LocalNames, Memo, Outside, Trace

__all__ = [
    "Declared",
    "Entry",
    "LocalNames",
    "Memo",
    "Outside",
    "Shape",
    "Trace",
    "Types",
    "annotations_of",
    "attribute_names",
    "is_noreturn",
    "record_node",
    "text_of",
]
