"""What a run came to, in the two forms in which it is kept: report.txt for people, report.json for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice.errors import BacktalkError
from voice.evaluate import report_text
from voice.evaluate.figures import all_figures
from voice.evaluate.manifest import Fault
from voice.evaluate.result import Result, to_json
from voice.evaluate.worst import worst


@dataclass(frozen=True)
class Report:
    """All results of a run and the figures made of them."""

    header: Mapping[str, Any]
    """What was run: name → value."""
    results: Sequence[Result]
    figures: Mapping[str, Any]
    """As `all_figures` gives them."""
    worst: Sequence[Result]
    faults: Sequence[Fault] = ()
    """Lines of the manifest that could not be used."""

    @classmethod
    def of(
        cls, results: Sequence[Result], by: Sequence[str], header: Mapping[str, Any], faults: Sequence[Fault] = ()
    ) -> Report:
        """The report on these results, with the figures of each group `by` these keys of the manifest too."""
        return cls(header, results, all_figures(results, by), worst(results), faults)

    def text(self) -> str:
        """Short lines that read well aloud."""
        return report_text.report(self.figures, self.worst, self.header)

    def data(self) -> dict[str, Any]:
        """Everything, as `compare.read_report` reads it back."""
        return {
            "header": dict(self.header),
            "faults": [{"line": fault.number, "reason": fault.reason} for fault in self.faults],
            "figures": self.figures,
            "worst": [result.line.name for result in self.worst],
            "utterances": [to_json(result) for result in self.results],
        }

    def write(self, folder: Path) -> None:
        """Writes report.txt and report.json. Raises BacktalkError where the folder can't be written to."""
        write_text(folder / "report.txt", self.text())
        write_text(folder / "report.json", json.dumps(self.data(), indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """One file of a report, its folder made where missing. Raises BacktalkError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BacktalkError(f"The report {path} can't be written: please name another place.", str(error)) from error
