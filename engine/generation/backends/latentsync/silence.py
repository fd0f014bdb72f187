"""How much of the drawn mouth is shown while nobody speaks: where the original is wanted, it comes back softly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.generation.backend import DrivingVoice
from engine.generation.backends.latentsync.windows import MODEL_FPS
from engine.sound.speech import SpeechActivity, speech_segments

_MARGIN = 0.2
"""Seconds around speech in which the mouth is drawn: lips move before the sound, and come to rest after it."""
_FADE = 0.16
"""Seconds over which drawn mouth and original change places."""
_PAUSE = 0.6
"""Seconds: in shorter pauses the mouth stays drawn; it would only flicker."""
_BLOCK_SECONDS = 30


def fully_drawn(drawn_count: int) -> npt.NDArray[np.float32]:
    """Return 1 for every drawn frame, shape ``(drawn_count,)``: the mouth that is drawn is closed in silence, too."""
    return np.ones(drawn_count, np.float32)


def drawn_shares(voice: DrivingVoice, drawn_count: int) -> npt.NDArray[np.float32]:
    """Return how much of each drawn frame is shown, 0 in silence to 1 in speech, shape ``(drawn_count,)``.

    Args:
        voice: the driving voice.
        drawn_count: frames, 25 per second.
    """
    listener = SpeechActivity(voice.sample_rate)
    block = _BLOCK_SECONDS * voice.sample_rate
    rows = [
        listener.push(voice.read(start, min(start + block, voice.samples))) for start in range(0, voice.samples, block)
    ]
    times = np.arange(drawn_count) / float(MODEL_FPS)
    away = np.full(drawn_count, np.inf)
    for segment in speech_segments(np.concatenate([*rows, listener.finish()]), join_gaps=_PAUSE):
        outside = np.maximum(float(segment.start) - times, times - float(segment.end))
        away = np.minimum(away, np.maximum(outside, 0))
    return np.clip(1 - (away - _MARGIN) / _FADE, 0, 1).astype(np.float32)
