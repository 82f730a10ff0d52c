# SPDX-License-Identifier: GPL-2.0-only
"""Parser for one external declaration of GNU C.

In: its text, the place it begins and which names are typedefs. Out: pycparser's nodes (see `nodes` for GNU C's own).

**Invariant:** raises nothing but `ParseError` on any text.
**Invariant:** a coordinate is a `Token` with `file`, `line`, `column` and `location()`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from pycparser import c_ast, c_parser

from analyzer.base.location import Location
from analyzer.frontend.cursor import ParseError
from analyzer.frontend.declarations import Declarations
from analyzer.frontend.lexer import MAX_NESTING, LexicalError, Lines, tokenize

__all__ = ["GnuParser", "ParseError"]

#: frames of the parser for one level of nested brackets, at most
_FRAMES_PER_LEVEL = 40


class GnuParser(Declarations):
    """Parses declarations, one at a time; may be used again after an error."""

    def __init__(self) -> None:
        super().__init__()
        #: the answers of `is_typedef` that the last declaration depends on
        self.asked: dict[str, bool] = {}
        sys.setrecursionlimit(max(sys.getrecursionlimit(), MAX_NESTING * _FRAMES_PER_LEVEL))

    def parse_declaration(
        self, text: str, is_typedef: Callable[[str], bool], file: str = "", first_line: int = 1
    ) -> list[c_ast.Node]:
        """Parse `text`, whose first line is line `first_line` of `file`; raises ParseError."""
        lines = Lines(file, first_line, text)
        try:
            self._start(tokenize(text, lines), is_typedef)
            self.asked = self._names.asked
            nodes: list[c_ast.Node] = []
            while self._kinds[self._at] is not None:
                nodes.extend(self._parse_external_declaration())
        except LexicalError as error:
            raise ParseError(str(error), Location(file, *lines.place(error.position))) from None
        except c_parser.ParseError as error:
            raise ParseError(str(error), Location(file, first_line)) from None
        except RecursionError:
            raise ParseError("nested too deeply", Location(file, first_line)) from None
        except (AssertionError, AttributeError, IndexError, TypeError, ValueError) as error:
            # how pycparser, which asserts on some malformed declarations, says that it does not understand
            raise ParseError(f"malformed declaration ({type(error).__name__})", Location(file, first_line)) from error
        return nodes
