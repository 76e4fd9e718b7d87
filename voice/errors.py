"""Failures that a person must hear about."""

from __future__ import annotations


class BacktalkError(Exception):
    """Its text is one plain sentence for the listener that says what to do; `reason` is for the operator's log."""

    def __init__(self, sentence: str, reason: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason or sentence


class InputError(BacktalkError):
    """An input (file, text) that can't be used; other inputs are still answered."""


class ModelError(BacktalkError):
    """The speech model is missing, damaged or can't be fetched."""


class DeviceError(BacktalkError):
    """A microphone or loudspeaker is missing or was lost."""


class VoiceError(BacktalkError):
    """No voice could speak."""
