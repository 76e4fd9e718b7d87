"""The replicas on Ray Serve: the only file that knows Ray. As a program it is a cluster on this machine, for as long as
its standard input is open: `python -m voice.fleet.cluster PLAN`, the plan being JSON."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from dataclasses import asdict, dataclass
from typing import Any

from voice.errors import BacktalkError
from voice.fleet.wire import HEAR, SPEAK

log = logging.getLogger(__name__)

HEARING, SPEAKING = "backtalk-hearing", "backtalk-speaking"
"""Names of the applications on Ray Serve."""
HEALTH_PERIOD_S, HEALTH_TIMEOUT_S = 2.0, 10.0
WAITING = 1
"""Utterances that wait in a replica beside those that it decodes: so many more are asked again when it dies."""
PORT = 8_000
READY = "ready at "
START_FAILED = "I can't start the fleet: please look at the messages of Ray, in its folder for logs."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is deployed."""

    replicas: int = 2
    """Of hearing."""
    threads: int = 1
    """Utterances that one replica of hearing decodes at a time; each wants a core."""
    voices: int = 1
    """Replicas of speaking."""
    model: str | None = None
    """Folder of the speech model, the same on every machine."""
    packs: tuple[str, ...] = ()
    """Folders of packs, the same on every machine."""

    def as_json(self) -> str:
        """For the command line of another process."""
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> Plan:
        """The inverse of `as_json`. Raises ValueError, KeyError or TypeError."""
        found = json.loads(text)
        return cls(**{**found, "packs": tuple(found["packs"])})


def deploy(plan: Plan, address: str | None, host: str, port: int) -> Any:
    """Begins a cluster here, or joins the one at `address`, and deploys; returns the module ray.serve. Raises BacktalkError.

    host, port: where each machine of the cluster takes HTTP.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    if address is None:  # before Ray is imported, for it reads this once
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # whoever reaches Ray's ports without it may run programs here
    import ray
    from ray import serve
    from ray.exceptions import RayError
    from ray.serve.exceptions import RayServeException

    for name in ("ray", "ray.serve"):
        logging.getLogger(name).setLevel(logging.ERROR)
    own: dict[str, Any] = {}
    if address is None:
        own = {"num_cpus": plan.replicas * plan.threads + plan.voices, "include_dashboard": False}
    try:
        ray.init(
            address=address or "local", namespace="backtalk", log_to_driver=False, logging_level=logging.ERROR, **own
        )
        serve.start(
            proxy_location="HeadOnly" if address is None else "EveryNode",
            http_options={"host": host, "port": port},
            logging_config={"log_level": "ERROR", "enable_access_log": False},
        )
        for name, path, application in _applications(serve, plan):
            serve.run(application, name=name, route_prefix=path)
    except (RayError, RayServeException, RuntimeError, ValueError, OSError) as error:
        raise BacktalkError(START_FAILED, f"Ray: {error}") from error
    return serve


def _applications(serve: Any, plan: Plan) -> list[tuple[str, str, Any]]:
    """(name, path, what Ray Serve deploys)."""
    from voice.fleet.replicas import HearingReplica, SpeakingReplica

    health = {"health_check_period_s": HEALTH_PERIOD_S, "health_check_timeout_s": HEALTH_TIMEOUT_S}
    hearing = serve.deployment(
        HearingReplica,
        num_replicas=plan.replicas,
        max_ongoing_requests=plan.threads + WAITING,
        ray_actor_options={"num_cpus": plan.threads},
        **health,
    )
    speaking = serve.deployment(
        SpeakingReplica,
        num_replicas=plan.voices,
        max_ongoing_requests=4,
        ray_actor_options={"num_cpus": 0.5},
        **health,
    )
    return [
        (HEARING, HEAR, hearing.bind(plan.model, plan.packs, plan.threads)),
        (SPEAKING, SPEAK, speaking.bind()),
    ]


def main(plan: Plan) -> int:
    """Runs until standard input ends; tells its address on standard output. Returns the exit status."""
    out = os.dup(1)
    os.dup2(2, 1)  # what Ray prints must not stand before the address
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        serve = deploy(plan, None, "127.0.0.1", port)
    except BacktalkError as error:
        print(error.reason, file=sys.stderr)
        return 1
    os.write(out, f"{READY}http://127.0.0.1:{port}\n".encode())
    sys.stdin.read()
    serve.shutdown()
    import ray

    ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(Plan.of_json(sys.argv[1])))
