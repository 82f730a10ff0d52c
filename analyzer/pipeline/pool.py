# SPDX-License-Identifier: GPL-2.0-only
"""A pool of worker processes of which any may die.

In: tasks as bytes. Out: each task's answer as bytes, or how its worker was lost; the other tasks go on.

**Invariant:** a worker never outlives its parent: it ends when its end of the pipe closes. It keeps open no other pipe
or socket that it inherited: whoever waits for the end of one does not wait for a worker.
**Source:** `concurrent.futures` was not taken since one lost process breaks its whole pool, and tells not whose task
it had.
"""

from __future__ import annotations

import os
import signal
import stat
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import cast

from msgspec import Struct

#: answers a task; runs in a worker process
Serve = Callable[[bytes], bytes]


class Lost(Struct, frozen=True):
    """A worker ended before it answered."""

    #: `was ended by signal 9 (Killed)`
    how: str


class _Worker(Struct):
    """A worker process and the task it is at."""

    pid: int
    connection: Connection
    task: int


def answers(
    tasks: Sequence[bytes], start: Callable[[], Serve], jobs: int, before_fork: Callable[[], None]
) -> Iterator[tuple[int, bytes | Lost]]:
    """Yield each task's index and answer as they come; `start` makes, in each worker, what answers its tasks."""
    waiting = iter(range(len(tasks)))
    workers: list[_Worker] = []
    try:
        for task in islice(waiting, max(1, jobs)):
            workers.append(_fork(start, before_fork, tasks, task))  # noqa: PERF401 - those begun must be ended, too
        while workers:
            ready = cast("list[Connection]", wait([worker.connection for worker in workers]))
            for worker in [worker for worker in workers if worker.connection in ready]:
                task = worker.task
                answer = _receive(worker)
                following = next(waiting, None)
                if isinstance(answer, Lost):
                    workers.remove(worker)
                    if following is not None:
                        workers.append(_fork(start, before_fork, tasks, following))
                elif following is None:
                    workers.remove(worker)
                    _dismiss(worker)
                else:
                    worker.task = following
                    _send(worker, tasks[following])
                yield task, answer
    finally:
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
            _dismiss(worker)


def _fork(start: Callable[[], Serve], before_fork: Callable[[], None], tasks: Sequence[bytes], task: int) -> _Worker:
    """Start a worker on its first task."""
    before_fork()
    ours, theirs = Pipe()
    with warnings.catch_warnings():
        # A progress bar may have a thread; the child neither prints nor takes a lock that the thread could hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _work(theirs, start)
    theirs.close()
    worker = _Worker(pid, ours, task)
    _send(worker, tasks[task])
    return worker


def _work(connection: Connection, start: Callable[[], Serve]) -> None:
    """Answer tasks until the parent closes the pipe; never return."""
    try:
        # Ctrl-C goes to the whole process group; the parent decides what becomes of its workers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _let_go_of_pipes(connection.fileno())
        serve = start()
        while True:
            connection.send_bytes(serve(connection.recv_bytes()))
    except (EOFError, OSError):
        os._exit(0)
    finally:
        os._exit(1)


def _let_go_of_pipes(own: int) -> None:
    """Put nothing in the place of every inherited pipe and socket but `own` and the standard streams.

    The numbers stay taken: an object of the parent that is collected here must not close a descriptor of ours.
    """
    null = os.open(os.devnull, os.O_RDWR)
    for path in list(Path("/proc/self/fd").iterdir()):
        descriptor = int(path.name)
        if descriptor > 2 and descriptor not in (own, null):
            with suppress(OSError):  # the one that listed them is closed by now
                mode = os.fstat(descriptor).st_mode
                if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
                    os.dup2(null, descriptor, inheritable=False)


def _send(worker: _Worker, task: bytes) -> None:
    with suppress(OSError):  # a worker that died since is found by `_receive`
        worker.connection.send_bytes(task)


def _receive(worker: _Worker) -> bytes | Lost:
    """Take an answer, or what became of the worker."""
    try:
        return worker.connection.recv_bytes()
    except (EOFError, OSError):
        return Lost(_dismiss(worker))


def _dismiss(worker: _Worker) -> str:
    """Close the pipe, wait for the worker's end, and tell how it ended."""
    worker.connection.close()
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
    except ChildProcessError:
        return "disappeared"
    if code < 0:
        return f"was ended by signal {-code} ({signal.strsignal(-code) or 'unknown'})"
    return f"ended with status {code}"
