"""`backtalk serve` on a computer without the extra: it must not need what it says is missing."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from voice.commands import serve


def test_a_missing_extra_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    result = CliRunner().invoke(serve.command, [])
    assert (result.exit_code, result.output.strip()) == (1, serve.MISSING)
