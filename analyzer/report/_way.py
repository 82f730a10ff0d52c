# SPDX-License-Identifier: GPL-2.0-only
"""The way to a place: its threads, how deep each step is in calls, and the words for it.

In: the steps of a witness. Out: `thread A`, a depth for each step, `, holding kvm.lock`.
"""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.findings.model import Finding, Step
from analyzer.report._words import enumerate_all


def thread_name(thread: int) -> str:
    """Name a thread: `thread A`; after 26 of them `thread 27`."""
    return f"thread {chr(ord('A') + thread) if thread < 26 else thread + 1}"


def enter(stack: list[str], function: str) -> int:
    """Move `stack`, the functions that are running, to `function`; return its depth."""
    while function in stack[:-1]:
        stack.pop()
    if not stack or stack[-1] != function:
        stack.append(function)
    return len(stack) - 1


def by_thread(steps: Iterable[Step]) -> dict[int, list[tuple[Step, int]]]:
    """Part steps by thread, in the order in which the threads first appear, each step with its depth."""
    threads: dict[int, list[tuple[Step, int]]] = {}
    stacks: dict[int, list[str]] = {}
    for step in steps:
        depth = enter(stacks.setdefault(step.thread, []), step.function)
        threads.setdefault(step.thread, []).append((step, depth))
    return threads


def told(step: Step) -> str:
    """Say who does what: `kvm_gmem_unbind() writes …`; an entry names its function itself."""
    return step.text if step.event == "entry" else f"{step.function}() {step.text}"


def holding(step: Step) -> str:
    """Say which locks are held after a step, unless its own words do."""
    if " holding " in step.text:
        return ""
    return f"{'; now' if step.event in ('acquire', 'release') else ','} holding {enumerate_all(step.held)}"


def lines(finding: Finding) -> list[str]:
    """Tell the way as plain lines with their places, a thread's name before its steps where there are several."""
    threads = by_thread(finding.witness)
    told_lines = []
    for thread, steps in threads.items():
        if len(threads) > 1:
            told_lines.append(f"{thread_name(thread)}:")
        told_lines += [
            f"{step.location.file}:{step.location.line}: {'  ' * depth}{told(step)}{holding(step)}"
            for step, depth in steps
        ]
    return told_lines
