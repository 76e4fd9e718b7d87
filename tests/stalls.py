"""Whether the machine itself stood still while a test ran in real time.

A virtual machine whose host is busy gets no processor for tenths of a second: sound devices, program and test all stop, and
what the loudspeaker plays has holes. Such a conversation proves nothing about the program, so it is tried again, and left
out visibly when the machine stood still then, too. A program that only works hard is no excuse: four threads at work on two
processors keep the watchers waiting 7 ms at most.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

STOOD_STILL_S = 0.05
"""A loudspeaker's buffer is 20 ms."""
LOOK_S = 0.01


class MachineStoodStill(Exception):
    """A test that failed while the machine stood still."""


class Stalls:
    """The longest time in which a processor did nothing that was asked of it."""

    def __init__(self) -> None:
        self.worst_s = 0.0
        self.over = threading.Event()

    def watch(self, processor: int | None) -> None:
        """Runs in a thread of its own until `over`; on this processor only, where the system lets us choose."""
        if processor is not None:
            os.sched_setaffinity(0, {processor})  # this thread's alone
        while not self.over.is_set():
            asleep = time.monotonic()
            time.sleep(LOOK_S)
            self.worst_s = max(self.worst_s, time.monotonic() - asleep - LOOK_S)


@contextmanager
def watched() -> Iterator[Stalls]:
    """Watches every processor meanwhile."""
    stalls = Stalls()
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
    watchers = [threading.Thread(target=stalls.watch, args=(processor,), daemon=True) for processor in processors]
    for watcher in watchers:
        watcher.start()
    try:
        yield stalls
    finally:
        stalls.over.set()
        for watcher in watchers:
            watcher.join()
