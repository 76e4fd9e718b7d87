"""The fleet on Ray Serve: the only file that knows Ray."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from intents.heard import Heard
from voice.errors import BacktalkError
from voice.fleet.fleet import FleetError
from voice.speech import Clip

log = logging.getLogger(__name__)

HEARING, SPEAKING = "backtalk-hearing", "backtalk-speaking"
"""Names of the applications on Ray Serve."""
HEALTH_PERIOD_S, HEALTH_TIMEOUT_S = 2.0, 10.0
WAITING = 1
"""Utterances that wait in a replica beside those that it decodes: so many more are asked again when it dies."""
START_FAILED = "I can't start the fleet: please look at the log, and at the messages of Ray."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is deployed."""

    replicas: int = 2
    """Of hearing."""
    voices: int = 1
    """Replicas of speaking."""
    threads: int = 1
    """Utterances that one replica of hearing decodes at a time; each wants a core."""
    model: str | None = None
    """Folder of the speech model, the same on every machine."""
    packs: tuple[str, ...] = ()
    """Folders of packs, the same on every machine."""


class RayFleet:
    """Begins a cluster on this machine, or joins one that runs; see voice.fleet.fleet.Fleet."""

    def __init__(self, plan: Plan, address: str | None = None) -> None:
        """address: of a Ray cluster; None begins one on this machine. Call it in the main thread. Raises BacktalkError."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        import ray
        from ray import serve
        from ray.exceptions import RayError
        from ray.serve.exceptions import RayServeException

        self._ray, self._serve = ray, serve
        self._failures = (RayError, RayServeException, TimeoutError, ConnectionError)
        self._own = address is None
        for name in ("ray", "ray.serve"):
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            ray.init(
                address=address,
                num_cpus=plan.replicas * plan.threads + plan.voices if self._own else None,
                include_dashboard=False if self._own else None,
                log_to_driver=False,
                logging_level=logging.ERROR,
                namespace="backtalk",
            )
            self._hearing, self._speaking = self._deployed(plan)
        except (*self._failures, RuntimeError, ValueError, OSError) as error:
            self.close()
            raise BacktalkError(START_FAILED, f"Ray: {error}") from error

    def _deployed(self, plan: Plan) -> tuple[Any, Any]:
        """Handles of hearing and speaking; a fleet that runs already is used as it is."""
        from voice.fleet.replicas import HearingReplica, SpeakingReplica

        serve = self._serve
        serve.start(proxy_location="Disabled", logging_config={"log_level": "ERROR", "enable_access_log": False})
        common = {"health_check_period_s": HEALTH_PERIOD_S, "health_check_timeout_s": HEALTH_TIMEOUT_S}
        hearing = serve.deployment(
            HearingReplica,
            num_replicas=plan.replicas,
            max_ongoing_requests=plan.threads + WAITING,
            ray_actor_options={"num_cpus": plan.threads},
            **common,
        ).bind(plan.model, plan.packs, plan.threads)
        speaking = serve.deployment(
            SpeakingReplica,
            num_replicas=plan.voices,
            max_ongoing_requests=4,
            ray_actor_options={"num_cpus": 0.5},
            **common,
        ).bind()
        running = serve.status().applications
        return tuple(
            serve.get_app_handle(name)
            if name in running and running[name].status == "RUNNING"
            else serve.run(app, name=name, route_prefix=None)
            for name, app in ((HEARING, hearing), (SPEAKING, speaking))
        )

    def hear(self, sound: bytes, timeout_s: float) -> Heard:
        """See `Fleet.hear`."""
        heard, process = self._asked(lambda: self._hearing.hear.remote(sound), timeout_s)
        log.info("heard by replica %d", process)
        found: Heard = heard
        return found

    def speak(self, sentence: str, rate: int, timeout_s: float) -> Clip:
        """See `Fleet.speak`."""
        clip: Clip = self._asked(lambda: self._speaking.speak.remote(sentence, rate), timeout_s)
        return clip

    def _asked(self, call: Callable[[], Any], timeout_s: float) -> Any:
        try:
            response = call()
            try:
                return response.result(timeout_s=timeout_s)
            except TimeoutError:
                response.cancel()
                raise
        except self._failures as error:
            raise FleetError(type(error).__name__) from error  # not its message: it may hold what was said

    def close(self) -> None:
        """Ends the cluster that was begun here; one that was joined goes on."""
        if self._own and self._ray.is_initialized():
            self._serve.shutdown()
        self._ray.shutdown()
