"""Progress told to people: lines off a terminal, a bar on one."""

from __future__ import annotations

import io

from voice.progress import ShownProgress


def test_progress_off_a_terminal_is_a_line_a_tenth() -> None:
    stream = io.StringIO()
    with ShownProgress(stream) as progress:
        for done in range(0, 1001):
            progress("Fetching", done, 1000)
        progress("Checking")
        progress("Checking")
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["Fetching ...", "Fetching: 10 percent"]
    assert lines[-2:] == ["Fetching: 100 percent", "Checking ..."]
    assert len(lines) == 12
    assert "\r" not in stream.getvalue()


def test_progress_on_a_terminal_is_a_bar() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    with ShownProgress(stream) as progress:
        progress("Fetching", 0, 1000)
        progress("Fetching", 1000, 1000)
        progress("Checking")
    assert "100%" in stream.getvalue()
    assert stream.getvalue().endswith("Checking ...\n")
