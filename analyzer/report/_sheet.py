# SPDX-License-Identifier: GPL-2.0-only
"""A sheet of styled lines for people: wrapping, columns and colours.

In: `sheet.add(("error", "bold red"), (": write without lock", ""), hang=4)`. Out: text no wider than asked for.

**Invariant:** the only door to rich in this layer.
**Invariant:** no line ends in blanks; without colour there is no escape sequence.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from analyzer.report._style import Style
from analyzer.report._words import printable

#: text and the name of its style in rich's words, `bold red`
Span = tuple[str, str]

#: a column of text is at least this wide; a narrower terminal gets longer lines
_LEAST_COLUMNS = 24


class Sheet:
    """Collects lines; `text()` gives them."""

    def __init__(self, style: Style) -> None:
        self._width = style.width
        self._out = io.StringIO()
        self._console = Console(
            file=self._out,
            width=style.width or 1_000_000,
            force_terminal=style.colour,
            color_system="standard" if style.colour else None,
            no_color=not style.colour,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    def add(self, *spans: Span, indent: int = 0, hang: int = 0) -> None:
        """Add a paragraph, its lines after the first indented by `hang` more."""
        self._paragraph(Text(" " * indent), _join(spans), indent + hang)

    def labelled(self, label: Span, width: int, *spans: Span, indent: int = 0) -> None:
        """Add a paragraph that stands right of `label`, which has a column of `width`."""
        head = _join([label])
        head.append(" " * max(1, width - cell_len(head.plain)))
        margin = Text(" " * indent)
        self._paragraph(margin + head, _join(spans), indent + width)

    def rows(self, rows: Sequence[tuple[Span, Sequence[Span]]], indent: int = 0) -> None:
        """Add labelled paragraphs whose right column starts at one place."""
        width = max((cell_len(printable(label[0])) for label, _ in rows), default=0) + 2
        for label, spans in rows:
            self.labelled(label, width, *spans, indent=indent)

    def verbatim(self, head: str, line: str, mark: tuple[int, int] | None) -> None:
        """Add a source line as it is after `head`, cut to the width, the span `mark` of it underlined."""
        text = printable(line.rstrip())
        before, length = (0, 0) if mark is None else _expanded(line, *mark)
        room = None if self._width is None else max(_LEAST_COLUMNS, self._width - cell_len(head) - 3)
        text, shift = _window(text, before, length, room)
        self._print(Text.assemble((head, "dim"), (" | ", "dim"), text))
        if mark is not None:
            blank = " " * cell_len(head)
            under = " " * cell_len(text[: before - shift])
            self._print(Text.assemble((f"{blank} | ", "dim"), under, ("^" + "~" * (length - 1), "bold green")))

    def blank(self) -> None:
        """Add an empty line."""
        self._print(Text())

    def text(self) -> str:
        """Return everything added."""
        return self._out.getvalue()

    def _paragraph(self, head: Text, body: Text, margin: int) -> None:
        """Print `head` and `body` side by side; lines of the body after its first are indented by `margin`."""
        if self._width is None:
            self._print(head + body)
            return
        used = cell_len(head.plain)
        lines = body.wrap(self._console, max(_LEAST_COLUMNS, self._width - max(used, margin)), overflow="fold")
        for number, line in enumerate(lines or [Text()]):
            line.rstrip()
            self._print((head if number == 0 else Text(" " * margin)) + line)

    def _print(self, line: Text) -> None:
        line.rstrip()
        self._console.print(line, soft_wrap=True)


def _join(spans: Sequence[Span]) -> Text:
    return Text.assemble(*((printable(text), style) for text, style in spans))


def _expanded(line: str, start: int, length: int) -> tuple[int, int]:
    """Move a span of `line` to where it is once tabs are expanded."""
    return len(line[:start].expandtabs(8)), max(1, length)


def _window(text: str, start: int, length: int, room: int | None) -> tuple[str, int]:
    """Cut `text` to `room` characters so that the span stays in view; also return how far it moved left."""
    if room is None or len(text) <= room:
        return text, 0
    shift = max(0, min(start + length + 8 - room, start))
    cut = text[shift : shift + room]
    if shift:
        cut = "…" + cut[1:]
    if shift + room < len(text):
        cut = cut[:-1] + "…"
    return cut, shift
