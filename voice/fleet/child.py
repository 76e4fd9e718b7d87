"""A cluster on this machine in a process of its own: when Ray falls, the front end must not fall with it."""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence

from voice.errors import BacktalkError
from voice.fleet.cluster import READY, START_FAILED, Plan

log = logging.getLogger(__name__)

START_S = 180.0
"""A cold start with the teaching of the speech model; measured: 10 s."""
GOODBYE_S = 30.0


class ClusterHere:
    """From its making to `close`. If it dies meanwhile, its address no longer answers; that is all that is noticed here."""

    def __init__(self, plan: Plan, command: Sequence[str] | None = None, start_s: float = START_S) -> None:
        """Waits until the replicas are ready. `command`: what runs the cluster. Raises BacktalkError."""
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed in close
        self.process = subprocess.Popen(
            [*(command or (sys.executable, "-m", "voice.fleet.cluster")), plan.as_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,  # Ctrl-C is for the front end, which then closes this
        )
        late = threading.Timer(start_s, self.process.kill)
        late.start()
        line = self.process.stdout.readline() if self.process.stdout is not None else ""
        late.cancel()
        if not line.startswith(READY):
            self.close()
            raise BacktalkError(START_FAILED, self._reason or f"it ended with {self.process.returncode}")
        self.url = line[len(READY) :].strip()

    _reason = ""

    def close(self) -> None:
        """Ends the cluster."""
        if self._said.closed:
            return
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            log.warning("the cluster did not end by itself")
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._said.seek(0)
        self._reason = " ".join(self._said.read().split())[-500:]
        self._said.close()
