"""What a measurement says. Light: the window imports these types too."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.timing import Offset
from engine.words import Message


class Kind(StrEnum):
    """What sort of relation sound and picture have."""

    IN_SYNC = "in_sync"
    CONSTANT = "constant"
    DRIFT = "drift"
    STEPS = "steps"
    JITTER = "jitter"
    UNMEASURABLE = "unmeasurable"


class Reason(StrEnum):
    """Why no number can be given.

    Each has a sentence in the catalogue under ``sync.reason``, and under ``sync.next_step`` what to do then.
    """

    NO_PICTURE = "no_picture"
    NO_SOUND = "no_sound"
    NO_FACE = "no_face"
    NO_SUCH_FACE = "no_such_face"
    NO_SPEECH = "no_speech"
    TOO_SHORT = "too_short"
    MOUTH_NOT_VISIBLE = "mouth_not_visible"
    FACE_TOO_SMALL = "face_too_small"
    PICTURE_TOO_SLOW = "picture_too_slow"
    STILL_MOUTH = "still_mouth"
    SEVERAL_SPEAKERS = "several_speakers"
    VOICE_OVER = "voice_over"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class OffsetPoint:
    """The offset around one moment of the clip.

    Attributes:
        t: middle of the window, seconds on the video's clock.
        offset_ms: positive, sound late.
        confidence: probability that the offset is within 40 ms of the truth.
        uncertainty_ms: half-width of the 95 % interval.
        seconds: length of the window.
    """

    t: float
    offset_ms: float
    confidence: float
    uncertainty_ms: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """From ``t`` seconds on, until the next step, the sound is ``offset_ms`` late."""

    t: float
    offset_ms: float


@dataclass(frozen=True, slots=True)
class LagCurve:
    """Score against lag of one window, for drawing.

    Attributes:
        t: middle of the window in seconds.
        lags_ms: shape ``(lags,)``, positive: sound late.
        scores: log probability of each lag, shape ``(lags,)``.
    """

    t: float
    lags_ms: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlosivePair:
    """A closure's burst seen on the lips and heard in the sound.

    Attributes:
        seen: when the lips part, seconds on the video's clock.
        heard: when the burst sounds, seconds on the same clock.
    """

    seen: float
    heard: float


@dataclass(frozen=True, slots=True)
class MouthTrace:
    """The mouth of the measured face over the analysed stretches, for drawing and for matching plosives.

    Attributes:
        times: presentation times in seconds, shape ``(frames,)``, ascending.
        opening: inner-lip opening as a share of the mouth's width, shape ``(frames,)``; NaN where no face was seen.
    """

    times: npt.NDArray[np.float64]
    opening: npt.NDArray[np.float32]


def _no_lips() -> npt.NDArray[np.uint16]:
    return np.zeros((0, 20, 2), np.uint16)


OUTER_POINTS = 12
"""So many points of :attr:`FacePath.lips` are the outer ring; the others are the inner one."""


@dataclass(frozen=True, slots=True)
class FacePath:
    """Where one person's face was seen, for drawing and for choosing a person with a click.

    Attributes:
        times: presentation times in seconds, shape ``(frames,)``, ascending.
        boxes: ``x0, y0, x1, y1`` of the face as shares of the upright picture's width and height, shape
            ``(frames, 4)``.
        is_measured: whether this is the person whose mouth explains the sound.
        lips: outline of the lips, the outer ring from the face's right corner along the lower lip, then the inner one
            in the same order, in 65535ths of the face's box, shape ``(m, 20, 2)``: of the first ``m`` sightings, for
            not all of a very long clip are kept.
    """

    times: npt.NDArray[np.float64]
    boxes: npt.NDArray[np.float32]
    is_measured: bool
    lips: npt.NDArray[np.uint16] = field(default_factory=_no_lips)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What one more stretch of the clip showed, while it is still being measured.

    Attributes:
        points: offsets found in it.
        curves: score against lag in it.
        mouth: the mouth of whoever explains its sound best, or ``None``.
    """

    points: tuple[OffsetPoint, ...] = ()
    curves: tuple[LagCurve, ...] = ()
    mouth: MouthTrace | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """How far sound and lips of one file are apart.

    ``offset_ms``, ``uncertainty_ms`` and ``drift_ppm`` are ``None`` exactly when there is no evidence for a number.

    Attributes:
        file: the path as it was given.
        kind: what sort of relation was found.
        offset_ms: positive, sound late; for a drift the offset at the middle of the clip, for steps the longest one's.
        uncertainty_ms: half-width of the 95 % interval of ``offset_ms``, given that the answer is right at all.
        confidence: calibrated probability that ``offset_ms`` is within 40 ms of the truth; 0 when unmeasurable.
        drift_ppm: growth of the offset in microseconds per second; ``None`` unless ``kind`` is ``DRIFT``.
        drift_offset_at_zero_ms: the fitted offset at t = 0 for a drift.
        drift_cause: likely cause of the drift, or ``None``.
        points: offset over time.
        steps: levels between jumps, when ``kind`` is ``STEPS``.
        container_delay_ms: sound start minus picture start that the container itself asks for (it is part of
            ``offset_ms`` when it is not wanted); ``None`` without both streams.
        verdict: one sentence for a person.
        reason: why there is no number, when ``kind`` is ``UNMEASURABLE``.
        notes: further sentences (reverberation, another face speaks, search range widened...).
        faces: how many people were seen.
        seconds_analysed: how much of the clip was looked at.
        timings: seconds of work per stage.
        plosives: bursts seen and heard.
        curves: score against lag per analysed window.
        mouth: mouth opening over the analysed stretches, or ``None``.
        people: where each person's face was seen, counted from the left as ``face`` does.
    """

    file: str
    kind: Kind
    verdict: Message
    offset_ms: float | None = None
    uncertainty_ms: float | None = None
    confidence: float = 0.0
    drift_ppm: float | None = None
    drift_offset_at_zero_ms: float | None = None
    drift_cause: Message | None = None
    points: tuple[OffsetPoint, ...] = ()
    steps: tuple[Step, ...] = ()
    container_delay_ms: float | None = None
    reason: Reason | None = None
    notes: tuple[Message, ...] = ()
    faces: int = 0
    seconds_analysed: float = 0.0
    timings: dict[str, float] = field(default_factory=dict)
    plosives: tuple[PlosivePair, ...] = ()
    curves: tuple[LagCurve, ...] = ()
    mouth: MouthTrace | None = None
    people: tuple[FacePath, ...] = ()

    @property
    def offset(self) -> Offset | None:
        """The offset with its uncertainty, or ``None`` when unmeasurable."""
        if self.offset_ms is None:
            return None
        return Offset(self.offset_ms, self.uncertainty_ms or 0.0)

    def to_json(self) -> dict[str, Any]:
        """Return plain data with the documented names (see the README); times in seconds, offsets in milliseconds."""

        def number(value: float | None, digits: int) -> float | None:
            return None if value is None else round(float(value), digits)

        return {
            "file": self.file,
            "kind": self.kind.value,
            "offset_ms": number(self.offset_ms, 2),
            "uncertainty_ms": number(self.uncertainty_ms, 2),
            "confidence": round(float(self.confidence), 4),
            "drift_ppm": number(self.drift_ppm, 1),
            "drift_cause": None if self.drift_cause is None else self.drift_cause.text(),
            "points": [
                {
                    "t": round(point.t, 3),
                    "offset_ms": round(point.offset_ms, 2),
                    "confidence": round(point.confidence, 4),
                    "uncertainty_ms": round(point.uncertainty_ms, 2),
                }
                for point in self.points
            ],
            "steps": [{"t": round(step.t, 3), "offset_ms": round(step.offset_ms, 2)} for step in self.steps],
            "container_delay_ms": number(self.container_delay_ms, 3),
            "verdict": self.verdict.text(),
            "reason": None if self.reason is None else self.reason.value,
            "notes": [note.text() for note in self.notes],
            "faces": self.faces,
            "seconds_analysed": round(self.seconds_analysed, 2),
            "timings": {stage: round(seconds, 3) for stage, seconds in self.timings.items()},
            "plosives": [{"seen": round(pair.seen, 3), "heard": round(pair.heard, 3)} for pair in self.plosives],
        }
