"""Where the work is done: this process, this machine's cores, a Dask or a Ray cluster. Each yields the same replies, in
any order.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from voice.errors import BacktalkError
from voice.evaluate.answer import Maker, Reply, answer_line
from voice.evaluate.extras import require
from voice.evaluate.manifest import Line

Answered = tuple[Line, Reply, float]
"""A line, its reply and the length of its recording in seconds."""
Engine = Callable[[Maker, Sequence[Line], int, "str | None"], Iterator[Answered]]
"""Maker, lines, number of processes, address of a cluster or None for one on this machine."""

_AHEAD = 4
"""Lines handed out for each process before it asks: enough to keep it busy, few enough to stop quickly."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def local(maker: Maker, lines: Sequence[Line], jobs: int, address: str | None = None) -> Iterator[Answered]:
    """One process a core; with one job, this process."""
    if jobs <= 1:
        for line in lines:
            yield (line, *answer_line(maker, line))
        return
    context = multiprocessing.get_context("spawn")  # forking a process that has threads of native libraries may hang
    with _workers_environment():
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_ignore_interrupt)
        try:
            yield from _hand_out(lambda line: pool.submit(answer_line, maker, line), lines, jobs * _AHEAD)
        except BrokenProcessPool as error:
            raise BacktalkError(
                "A process of the evaluation died, perhaps for lack of memory: please run it again with fewer jobs.",
                str(error),
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _hand_out(
    submit: Callable[[Line], Future[tuple[Reply, float]]], lines: Sequence[Line], window: int
) -> Iterator[Answered]:
    waiting: dict[Future[tuple[Reply, float]], Line] = {}
    rest = iter(lines)
    while True:
        while len(waiting) < window and (line := next(rest, None)) is not None:
            waiting[submit(line)] = line
        if not waiting:
            return
        for done in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield (waiting.pop(done), *done.result())


@contextmanager
def _workers_environment() -> Iterator[None]:
    """What processes begun inside inherit: one thread each (the cores are shared out already), the same places to
    import from.
    """
    chosen = dict.fromkeys(_THREADS, "1") | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "RAY_USAGE_STATS_ENABLED": "0",  # nothing here calls home
    }
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _ignore_interrupt() -> None:
    """Ctrl-C reaches every process of a terminal; only the one that hands out the work may act on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _born_deaf() -> Iterator[None]:
    """Processes begun inside inherit that Ctrl-C is ignored, where they have no initializer of ours."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may choose, and only there does Ctrl-C arrive
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _reaching(address: str | None) -> Iterator[None]:
    """What is raised when nobody answers at `address` becomes a sentence."""
    try:
        yield
    except (OSError, ValueError) as error:
        where = f"at {address}" if address else "on this machine"
        raise BacktalkError(f"The cluster {where} can't be reached: please check its address.", str(error)) from error


def dask(maker: Maker, lines: Sequence[Line], jobs: int, address: str | None = None) -> Iterator[Answered]:
    """A Dask cluster at `address` (as in tcp://host:8786), or one of `jobs` workers on this machine."""
    require("run an evaluation on Dask", "cluster", "distributed")
    from distributed import Client, LocalCluster, as_completed

    with _workers_environment():
        with _born_deaf():
            cluster = None if address else LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
        try:
            with _reaching(address):
                client = Client(address or cluster)
            with client:
                # pure=False: a line said twice is answered twice, as everywhere else.
                futures = client.map(lambda line: (line, *answer_line(maker, line)), lines, pure=False, batch_size=1000)
                for _, answered in as_completed(futures, with_results=True):
                    yield answered
        finally:
            if cluster is not None:
                cluster.close()


def ray(maker: Maker, lines: Sequence[Line], jobs: int, address: str | None = None) -> Iterator[Answered]:
    """A Ray cluster at `address`, or one of `jobs` workers on this machine."""
    require("run an evaluation on Ray", "cluster", "ray")
    import ray as library
    from ray.util import ActorPool

    class Worker:
        def answer(self, line: Line) -> Answered:
            return (line, *answer_line(maker, line))

    def send(worker: Any, line: Line) -> Any:
        return worker.answer.remote(line)

    quiet = {"include_dashboard": False, "log_to_driver": False, "configure_logging": False}
    try:
        with _workers_environment():
            with _reaching(address):
                library.init(address=address, num_cpus=None if address else jobs, **quiet)
            remote = library.remote(num_cpus=1)(Worker)
            yield from ActorPool([remote.remote() for _ in range(jobs)]).map_unordered(send, lines)
    except library.exceptions.RayTaskError as error:
        raise error.cause from error
    finally:
        library.shutdown()


ENGINES: dict[str, Engine] = {"local": local, "dask": dask, "ray": ray}
