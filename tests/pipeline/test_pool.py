# SPDX-License-Identifier: GPL-2.0-only
"""Worker processes, and what becomes of the tasks of those that die."""

import os
import signal
import stat
import time
from collections.abc import Callable

import pytest

from analyzer.pipeline.pool import Lost, Serve, answers


def serve(task: bytes) -> bytes:
    match task.split():
        case [b"kill", number]:
            os.kill(os.getpid(), int(number))
        case [b"exit", number]:
            os._exit(int(number))
        case [b"sleep", seconds]:
            time.sleep(float(seconds))
        case [b"holds", number]:
            return b"yes" if stat.S_ISFIFO(os.fstat(int(number)).st_mode) else b"no"
        case [b"pid"]:
            return str(os.getpid()).encode()
        case [b"raise"]:
            raise ValueError
    return task.upper()


def run(tasks: list[bytes], jobs: int, start: Callable[[], Serve] = lambda: serve) -> list[bytes | Lost]:
    found = dict(answers(tasks, start, jobs, lambda: None))
    assert sorted(found) == list(range(len(tasks)))
    return [found[index] for index in range(len(tasks))]


def no_child_is_left() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_every_task_is_answered(jobs: int) -> None:
    assert run([b"a", b"b", b"c"], jobs) == [b"A", b"B", b"C"]
    assert run([], jobs) == []
    assert no_child_is_left()


def test_no_more_workers_than_jobs() -> None:
    assert len(set(run([b"pid"] * 9, 2))) <= 2
    assert os.getpid() not in {int(answer) for answer in run([b"pid"], 1) if isinstance(answer, bytes)}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_lost_worker_costs_its_own_task_only(jobs: int) -> None:
    tasks = [b"a", b"kill 9", b"b", b"exit 3", b"c", b"raise", b"d"]
    assert run(tasks, jobs) == [
        b"A",
        Lost("was ended by signal 9 (Killed)"),
        b"B",
        Lost("ended with status 3"),
        b"C",
        Lost("ended with status 1"),
        b"D",
    ]
    assert no_child_is_left()


def test_workers_that_cannot_start_lose_all_tasks_but_end() -> None:
    def start() -> Serve:
        raise OSError

    assert all(isinstance(answer, Lost) for answer in run([b"a", b"b", b"c"], 2, start))
    assert no_child_is_left()


def test_a_long_answer_and_a_long_task_pass() -> None:
    assert run([b"x" * 10_000_000], 1) == [b"X" * 10_000_000]


def test_workers_are_ended_when_the_run_is_given_up() -> None:
    begun = time.monotonic()
    results = answers([b"a", b"sleep 60"], lambda: serve, 2, lambda: None)
    assert next(results) == (0, b"A")
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begun < 30
    assert no_child_is_left()


def test_a_worker_keeps_no_pipe_of_the_parent_open() -> None:
    reading, writing = os.pipe()
    results = answers([b"holds %d" % writing, b"a", b"sleep 60"], lambda: serve, 2, lambda: None)
    try:
        assert sorted([next(results), next(results)]) == [(0, b"no"), (1, b"A")]
        os.close(writing)
        # the end is to be seen although a worker is busy
        assert os.read(reading, 1) == b""
    finally:
        results.close()  # type: ignore[attr-defined]
        os.close(reading)


def test_an_interrupt_reaches_the_parent_not_the_workers() -> None:
    assert run([b"kill %d" % signal.SIGINT], 1) == [b"KILL 2"]


def test_a_worker_sees_what_the_parent_prepared_before_the_fork() -> None:
    prepared: list[int] = []
    results = answers([b"a"] * 2, lambda: lambda _: str(prepared).encode(), 2, lambda: prepared.append(1))
    assert dict(results) == {0: b"[1]", 1: b"[1, 1]"}
