# SPDX-License-Identifier: GPL-2.0-only
"""The source along a way: which lines to show for each step, and what is held on them.

In: the steps of a witness. Out: for each step the lines that lead to it in its function, the locks held before and after.

A function's lines are told once: where two of its steps are close, the lines between them stand with the second one.

**Invariant:** steps keep their order within their thread, and every step has its own line unless the step before it in
the same function stands on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from analyzer.findings.model import Step
from analyzer.report import _way
from analyzer.report._style import SourceReader

#: lines before a step, and after the last one of a thread
N_CONTEXT = 2
#: between two steps of a function, so many lines or fewer are shown
N_BETWEEN = 12


class Excerpt(Struct, frozen=True):
    """A step with the source that leads to it."""

    step: Step
    #: in calls, 0 for the outermost function
    depth: int
    #: held on the lines before the step's own
    before: tuple[str, ...]
    #: (line, text) up to the step's own line; empty where the source cannot be had
    lines: tuple[tuple[int, str], ...]
    #: (line, text) after it, where the thread ends
    after: tuple[tuple[int, str], ...]


class _Frame(Struct):
    """A function that is running."""

    function: str
    file: str
    #: the last line shown of it; 0: none yet
    shown: int


def excerpts(steps: Iterable[Step], sources: SourceReader) -> list[Excerpt]:
    """Return the steps with their source, thread by thread."""
    return [excerpt for placed in _way.by_thread(steps).values() for excerpt in _of_thread(placed, sources)]


def _of_thread(placed: list[tuple[Step, int]], sources: SourceReader) -> Iterable[Excerpt]:
    frames: list[_Frame] = []
    held: tuple[str, ...] = ()
    for number, (step, depth) in enumerate(placed):
        del frames[depth + 1 :]
        if len(frames) <= depth or (frames[depth].function, frames[depth].file) != (step.function, step.location.file):
            del frames[depth:]
            frames.append(_Frame(step.function, step.location.file, 0))
        frame, line = frames[-1], step.location.line
        first = line if step.event == "entry" else _first(frame.shown, line)
        lines = range(max(1, first), line + 1)
        frame.shown = max(line, 1)
        last = number == len(placed) - 1
        after = range(line + 1, line + 1 + N_CONTEXT) if last else range(0)
        yield Excerpt(step, depth, held, _read(step, lines, sources), _read(step, after, sources))
        held = step.held


def _first(shown: int, line: int) -> int:
    """Return the first line to show before `line`, if those up to `shown` are shown already."""
    if shown <= line <= shown + N_BETWEEN and shown:
        return shown + 1
    return max(1, line - N_CONTEXT)


def _read(step: Step, lines: range, sources: SourceReader) -> tuple[tuple[int, str], ...]:
    texts = ((line, sources.line(step.location.file, line)) for line in lines)
    return tuple((line, visible(text)) for line, text in texts if text is not None)


def visible(text: str) -> str:
    """Replace what would reorder or hide text; tabs stay."""
    if text.replace("\t", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
