"""The report's page in a real browser: axe-core finds no violation, and everything on it works without a mouse.

Needs chromium and axe-core (`npm install axe-core`); skipped, visibly, where they are absent, unless
BACKTALK_REQUIRE_E2E=1. BACKTALK_AXE names axe.min.js where npm put it elsewhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.e2e

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ROOT = Path(__file__).resolve().parents[2]
RESULT = re.compile(r'<pre id="axe-result">(.*?)</pre>', re.DOTALL)
RUN_AXE = """
axe.run(document, {resultTypes: ["violations", "incomplete"]}).then(found => found, error => ({error: String(error)}))
  .then(found => {
    const out = document.createElement("pre");
    out.id = "axe-result";
    out.textContent = JSON.stringify({
      error: found.error || null,
      passes: (found.passes || []).map(rule => rule.id),
      violations: (found.violations || []).map(
        rule => ({id: rule.id, nodes: rule.nodes.map(node => node.html.slice(0, 300) + " " + node.failureSummary)})),
    });
    document.body.appendChild(out);
  });
"""


def absent(what: str) -> None:
    if os.environ.get("BACKTALK_REQUIRE_E2E") == "1":
        pytest.fail(f"{what} is required here, and it is absent")
    pytest.skip(f"no {what}")


@pytest.fixture(scope="module")
def browser() -> str:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        absent("chromium")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def axe() -> str:
    places = [Path(os.environ["BACKTALK_AXE"])] if "BACKTALK_AXE" in os.environ else []
    places.append(ROOT / "node_modules" / "axe-core" / "axe.min.js")
    if npm := shutil.which("npm"):
        root = subprocess.run(
            [npm, "root", "-g"], capture_output=True, text=True, timeout=30, check=False
        ).stdout.strip()
        places.append(Path(root) / "axe-core" / "axe.min.js")
    found = next((path for path in places if path.is_file()), None)
    if found is None:
        absent("axe-core")
    assert found is not None
    return found.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with everything on it: recordings and texts, every kind, groups, plots, recordings to listen to, odd
    characters.
    """
    for module in ("scipy", "jiwer", "jinja2", "matplotlib"):
        pytest.importorskip(module)
    from voice.evaluate.figures import all_figures
    from voice.evaluate.manifest import Line
    from voice.evaluate.report_html import page as make
    from voice.evaluate.result import Result
    from voice.evaluate.worst import worst

    audio = tmp_path_factory.mktemp("page") / "a.wav"
    soundfile.write(audio, np.random.default_rng(1).integers(-3000, 3000, 16_000).astype(np.int16), 16_000)
    warn, answer = {"action": "warn", "urgent": ["urgent_limb"]}, {"action": "answer", "intent": "causes"}
    cases: list[tuple[str, str, dict[str, Any]]] = [
        ("question", "causes", answer),
        ("question", "outlook", answer),
        ("question", "outlook", {"action": "clarify", "choices": ["outlook", "causes"]}),
        ("question", "causes", {"action": "reject"}),
        ("urgent", "urgent_limb", warn),
        ("urgent", "urgent_limb", answer),
        ("oos", "out_of_scope", {"action": "reject"}),
        ("oos", "out_of_scope", warn),
        ("command", "louder", {"action": "command", "intent": "louder"}),
    ]
    results = []
    for number in range(4 * len(cases)):
        kind, label, reply = cases[number % len(cases)]
        extra = {"voice": "ab"[number % 2], "noise": ("kitchen", None)[number % 2], "snr_db": (12.0, None)[number % 2]}
        line = Line(number + 1, label, kind, '<b>"words" & more', audio if number % 3 else None, extra)
        spans = {"recognize": 100.0 + number, "understand": 2.0, "first_audio": 15.0}
        whole = {
            "transcript": "<i>heard",
            "confidence": number % 10 / 10,
            "timing_ms": spans,
            "speech": "Words.",
            **reply,
        }
        results.append(Result(line, whole, 1.0 if line.audio else 0.0))
    figures = all_figures(results)
    return make(results, figures, worst(results), {"manifest": "<m>.jsonl"})


def test_axe_finds_no_violation(browser: str, axe: str, page: str, tmp_path: Path) -> None:
    tested = tmp_path / "page.html"
    tested.write_text(
        page.replace("</body>", f"<script>{axe}</script><script>{RUN_AXE}</script></body>"), encoding="utf-8"
    )
    found = axe_result(browser, tested, tmp_path)
    assert found["error"] is None
    assert {"image-alt", "color-contrast", "region"} <= set(found["passes"])
    assert found["violations"] == []


def test_axe_would_find_a_picture_without_words(browser: str, axe: str, page: str, tmp_path: Path) -> None:
    tested = tmp_path / "page.html"
    broken = re.sub(r' alt="[^"]*"', "", page)
    tested.write_text(
        broken.replace("</body>", f"<script>{axe}</script><script>{RUN_AXE}</script></body>"), encoding="utf-8"
    )
    assert "image-alt" in [rule["id"] for rule in axe_result(browser, tested, tmp_path)["violations"]]


def axe_result(browser: str, page: Path, folder: Path) -> dict[str, Any]:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"]
    own = [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=30000", "--window-size=1280,800"]
    done = subprocess.run(
        [browser, *options, *own, page.as_uri()], capture_output=True, text=True, timeout=120, check=False
    )
    found = RESULT.search(done.stdout)
    assert found is not None, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(unescape(found[1]))
    return result


def test_the_page_needs_nothing_else_and_no_mouse(page: str) -> None:
    assert "<script" not in page, "everything works by the browser's own keys because nothing is scripted"
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert sources
    assert all(source.startswith(("#", "data:")) for source in sources)
    targets = set(re.findall(r'id="([^"]*)"', page))
    assert {source[1:] for source in sources if source.startswith("#")} <= targets
    assert set(re.findall(r'tabindex="(-?\d+)"', page)) <= {"0", "-1"}
    # What scrolls sideways can be reached and scrolled by keys.
    assert page.count('class="wide"') == page.count('class="wide" role="region" tabindex="0"')


def test_every_plot_has_words_and_a_table_and_recordings_can_be_played(page: str) -> None:
    plots = re.findall(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="([^"]+)"', page)
    assert len(plots) == 4
    for section in page.split("<section")[1:]:
        if "<img" in section:
            assert "<table>" in section
    assert page.count('<audio controls preload="none" src="data:audio/mpeg;base64,') >= 5


def test_what_people_said_stays_text(page: str) -> None:
    assert "<b>" not in page
    assert escape('<b>"words" & more').replace("&quot;", "&#34;") in page
