"""How much of the drawn mouth is shown while nobody speaks: where the original is wanted, it comes back softly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engine.generation.backend import DrivingVoice
from engine.generation.spec import SilencePolicy
from engine.sound.speech import SpeechActivity, speech_segments

_MARGIN = 0.2
"""Seconds around speech in which the mouth is drawn: lips move before the sound, and come to rest after it."""
_FADE = 0.16
"""Seconds over which drawn mouth and original change places."""
_PAUSE = 0.6
"""Seconds: in shorter pauses the mouth stays drawn; it would only flicker."""
_BLOCK_SECONDS = 30


def drawn_shares(
    voice: DrivingVoice, frame_count: int, fps: Fraction, policy: SilencePolicy
) -> npt.NDArray[np.float32]:
    """Return how much of each drawn frame is shown, shape ``(frame_count,)``.

    With ``ORIGINAL`` that is 0 in silence to 1 in speech; else it is 1 throughout: the mouth that is drawn is closed in
    silence, too.

    Args:
        voice: the driving voice.
        frame_count: drawn frames.
        fps: of the drawn frames.
        policy: what the mouth does while nobody speaks.
    """
    if policy is not SilencePolicy.ORIGINAL:
        return np.ones(frame_count, np.float32)
    listener = SpeechActivity(voice.sample_rate)
    block = _BLOCK_SECONDS * voice.sample_rate
    rows = [
        listener.push(voice.read(start, min(start + block, voice.samples))) for start in range(0, voice.samples, block)
    ]
    times = np.arange(frame_count) / float(fps)
    away = np.full(frame_count, np.inf)
    for segment in speech_segments(np.concatenate([*rows, listener.finish()]), join_gaps=_PAUSE):
        outside = np.maximum(float(segment.start) - times, times - float(segment.end))
        away = np.minimum(away, np.maximum(outside, 0))
    return np.clip(1 - (away - _MARGIN) / _FADE, 0, 1).astype(np.float32)
