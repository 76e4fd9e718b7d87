"""Backtalk as a skill of Open Voice OS, which hears and speaks; here only the conversation is Backtalk's own."""

from __future__ import annotations

import os

# As in voice/cli.py, and before numpy is first imported: the matrices here are small, and a second BLAS thread waits more than it
# works. Where another skill of the same process has imported numpy already, only the service's own environment helps (docs/ovos.md).
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

SKILL_ID = "ovos-skill-backtalk.backtalk"
"""Name of the entry point in `opm.skill`."""
PIPELINE_ID = "backtalk-danger-pipeline-plugin"
"""Name of the entry point in `opm.pipeline`, to be written first into `intents.pipeline` of mycroft.conf."""
DANGER = f"{SKILL_ID}:danger"
"""Bus message: what the pipeline stage found, for the skill to handle."""
PING, PONG = f"{SKILL_ID}.ping", f"{SKILL_ID}.pong"
"""Bus messages: is the skill there, and yes. An utterance is taken from the other skills only when somebody answers it."""
