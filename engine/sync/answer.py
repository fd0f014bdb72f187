"""From what was weighed to what is said: the measurement, or the reason why there is none, and notes about it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from engine.media.probe import MediaInfo
from engine.sync.calibration import Calibration
from engine.sync.conclude import Conclusion, in_sync
from engine.sync.lines import drift_cause
from engine.sync.looked_at import LookedAt, owner_of
from engine.sync.plosives import match_plosives, partings
from engine.sync.result import Kind, Measurement, Reason, Step
from engine.sync.verdict import verdict
from engine.timing import Offset, clock_words
from engine.words import Message

LOWEST_RATE = 7.5
"""Pictures per second below which mouths are not followed."""
_ENOUGH_CONFIDENCE = 0.5
"""Below this no number is given."""
_SHORT_EVIDENCE = 5.0
"""Seconds of evidence below which :data:`_ENOUGH_WHEN_SHORT` holds."""
_ENOUGH_WHEN_SHORT = 0.25
"""The same for short evidence: even right answers stay doubtful then; of those above this, 97 % of 1.5 s
windows and more of longer ones were right (cross-validated). But many a voice that is not the face's gets there, too:
below :data:`_ENOUGH_CONFIDENCE` the sentence itself leaves it open."""

_LEAST_EYES = 11.0
"""Pixels between the eyes below which lips are too small to be read."""
_MOST_YAW = 50.0
"""Degrees from which on a head is turned away."""
_LEAST_MOTION = 0.012
"""Standard deviation of the mouth's opening (share of its width) below which it does not move."""
_LEAST_SECONDS = 1.0
"""Seconds of speech, and of evidence, that are needed at least."""
_VOICE_OVER_SECONDS = 6.0
"""With this much of a moving mouth and of speech, and no lag that explains them, they belong to different people."""
_BEYOND_DOUBT = 0.95
"""Below this confidence the interval around the offset, which is for 95 %, says too little: the rest is said, too."""
_WORTH_A_NOTE_MS = 20.0
"""Delay that the file itself asks for, from which on it is mentioned."""


def answer(looked: LookedAt, conclusion: Conclusion | None, calibration: Calibration) -> Measurement:
    """Say what was found.

    Args:
        looked: what that rests on.
        conclusion: everything weighed together, ``None`` where there was nothing to weigh.
        calibration: of the model that weighed it.
    """
    reason = why_not(looked, conclusion)
    if reason is not None or conclusion is None:
        return unmeasurable(looked, reason or Reason.NO_FACE, conclusion)
    kind, line, peak = conclusion.kind, conclusion.line, conclusion.peak
    offset_ms, drift_ppm, drift_zero, cause = peak.lag_ms, None, None, None
    steps: tuple[Step, ...] = ()
    spread = 0.0
    if kind is Kind.DRIFT:
        drift_ppm = line.slope * 1000
        start, stop = looked.range
        offset_ms, drift_zero = line.at((start + stop) / 2), line.at(0.0)
        sigma_ppm = 1.96e3 * line.slope_sigma * calibration.sigma_scale
        cause = drift_cause(drift_ppm, sigma_ppm)
    elif kind is Kind.STEPS:
        levels = conclusion.levels
        starts = [looked.range[0], *levels.starts[1:]]
        steps = tuple(Step(float(t), float(ms)) for t, ms in zip(starts, levels.offsets_ms, strict=True))
    elif kind is Kind.JITTER:
        spread = conclusion.scatter_ms
    elif in_sync(offset_ms):
        kind = Kind.IN_SYNC
    offset = Offset(offset_ms, calibration.uncertainty_ms(peak))
    mouth = looked.mouth(conclusion, looked.seen)
    return Measurement(
        file=str(looked.info.path),
        kind=kind,
        verdict=verdict(
            kind,
            offset,
            drift_ppm=drift_ppm,
            steps=len(steps),
            spread_ms=spread,
            is_doubtful=conclusion.confidence < _ENOUGH_CONFIDENCE,
        ),
        offset_ms=offset.ms,
        uncertainty_ms=offset.uncertainty_ms,
        confidence=conclusion.confidence,
        drift_ppm=drift_ppm,
        drift_offset_at_zero_ms=drift_zero,
        drift_cause=cause,
        points=conclusion.points,
        steps=steps,
        container_delay_ms=_container_delay_ms(looked.info),
        notes=(*looked.notes, *_notes(looked, conclusion)),
        faces=len(looked.people),
        seconds_analysed=looked.seconds_analysed,
        timings=dict(looked.seconds),
        plosives=match_plosives(partings(mouth), looked.bursts, offset_ms),
        curves=conclusion.curves,
        mouth=mouth,
        people=looked.paths(conclusion),
    )


def unmeasurable(looked: LookedAt, reason: Reason, conclusion: Conclusion | None = None) -> Measurement:
    """Say that there is no number, why, and what to do next."""
    return Measurement(
        file=str(looked.info.path),
        kind=Kind.UNMEASURABLE,
        verdict=verdict(Kind.UNMEASURABLE, None, reason=reason),
        reason=reason,
        notes=(Message(f"sync.next_step.{reason}"), *looked.notes),
        points=() if conclusion is None else conclusion.points,
        curves=() if conclusion is None else conclusion.curves,
        container_delay_ms=_container_delay_ms(looked.info),
        faces=len(looked.people),
        seconds_analysed=looked.seconds_analysed,
        timings=dict(looked.seconds),
        mouth=None if conclusion is None else looked.mouth(conclusion, looked.seen),
        people=looked.paths(conclusion),
    )


def is_enough(conclusion: Conclusion) -> bool:
    """Return whether there is evidence for a number."""
    least = _ENOUGH_WHEN_SHORT if conclusion.seconds < _SHORT_EVIDENCE else _ENOUGH_CONFIDENCE
    return conclusion.confidence >= least


def why_not(looked: LookedAt, conclusion: Conclusion | None) -> Reason | None:
    """Return why no number can be given, the most helpful reason first, or ``None`` if one can."""
    if conclusion is not None and is_enough(conclusion):
        return None
    if not looked.seen:  # of a long clip only stretches with speech are looked at
        return Reason.NO_SPEECH
    people = looked.people
    rates = [seen.frame_seconds for seen in looked.seen if seen.frame_seconds > 0]
    if not rates or np.median(rates) > 1 / LOWEST_RATE:
        return Reason.PICTURE_TOO_SLOW
    if not people:
        return Reason.NO_FACE
    if looked.face is not None and looked.face > len(people):
        return Reason.NO_SUCH_FACE
    tracks = [track for person in people for track in person.tracks]
    if max(float(np.median(track.eye_distance)) for track in tracks) < _LEAST_EYES:
        return Reason.FACE_TOO_SMALL
    if min(float(np.median(np.abs(track.yaw))) for track in tracks) > _MOST_YAW:
        return Reason.MOUTH_NOT_VISIBLE
    if looked.speech_seconds < _LEAST_SECONDS:
        return Reason.TOO_SHORT if looked.seconds_analysed < 2 * _LEAST_SECONDS else Reason.NO_SPEECH
    if conclusion is None or conclusion.seconds < _LEAST_SECONDS:
        return Reason.TOO_SHORT
    if max(float(np.std(opening)) for seen in looked.seen for opening in seen.openings) < _LEAST_MOTION:
        return Reason.STILL_MOUTH
    if len(people) > 1 and looked.face is None:
        return Reason.SEVERAL_SPEAKERS
    return Reason.VOICE_OVER if conclusion.seconds >= _VOICE_OVER_SECONDS else Reason.UNCERTAIN


def _notes(looked: LookedAt, conclusion: Conclusion) -> Iterator[Message]:
    if conclusion.confidence < _BEYOND_DOUBT:
        yield Message("sync.note.doubtful", percent=math.floor(100 * conclusion.confidence))
    people = looked.people
    if len(people) > 1:
        yield Message("sync.note.faces", count=len(people), number=owner_of(conclusion))
    start, stop = looked.range
    if looked.is_part:
        yield Message("sync.note.part", start=clock_words(start), stop=clock_words(stop))
    if looked.seconds_analysed < 0.9 * (stop - start):
        yield Message(
            "sync.note.sampled", windows=len(looked.seen), seconds=looked.seconds_analysed, total=stop - start
        )
    if looked.info.video is not None and looked.info.video.is_variable:
        yield Message("sync.note.variable_rate")
    delay = _container_delay_ms(looked.info)
    if delay is not None and abs(delay) >= _WORTH_A_NOTE_MS:
        way = Message(f"sync.note.{'after' if delay > 0 else 'before'}", ms=abs(delay))
        yield Message("sync.note.container", delay=way)


def _container_delay_ms(info: MediaInfo) -> float | None:
    return None if info.container_delay is None else float(info.container_delay) * 1000
