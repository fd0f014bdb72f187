"""Measure how far sound and lips of a clip are apart."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.face.mouth import openings
from engine.face.people import Person, people_of
from engine.face.tracks import FaceTrack
from engine.jobs import Job, Progress, part_of
from engine.media.probe import MediaInfo, probe
from engine.refusal import Refusal, Refused
from engine.sync.calibration import Calibration
from engine.sync.conclude import Conclusion, StretchEvidence, conclude, in_sync
from engine.sync.evidence import REACH_MS, Evidence, Sound, evidence
from engine.sync.lines import drift_cause
from engine.sync.look import Looker
from engine.sync.plosives import Burst, match_plosives, partings
from engine.sync.result import FacePath, Glimpse, Kind, Measurement, MouthTrace, Reason, Step
from engine.sync.stretches import SHORT_CLIP, STRETCH, Stretch, clear_stretches, consecutive
from engine.sync.towers import shipped_model
from engine.sync.verdict import verdict
from engine.timing import Offset, clock_words
from engine.words import Message

_ENOUGH_CONFIDENCE = 0.5
"""Below this no number is given."""
_SHORT_EVIDENCE = 5.0
_ENOUGH_WHEN_SHORT = 0.25
"""The same with fewer seconds of evidence: even right answers stay doubtful then; of those above this, 97 % of 1.5 s
windows and more of longer ones were right (cross-validated). But many a voice that is not the face's gets there, too:
below :data:`_ENOUGH_CONFIDENCE` the sentence itself leaves it open."""

_WIDE_REACH_MS = 5000.0
"""Half-width of the search when nothing was found in the usual range."""
_WIDE_NEEDS = 8.0
"""Seconds of evidence needed for the wide search: more lags need more evidence."""
_KEPT = 4
"""Stretches whose faces are kept for a wide search."""
_FOLLOW_SLOPE = 2.0
"""Milliseconds per second of drift from which later stretches are searched around the line, not around zero."""
_ENOUGH_STRETCHES = 5
_MOST_STRETCHES = 12
_MOST_HALVINGS = 16
_KNOWN_STEP = 2.0
"""Seconds within which the place of a jump must be known."""
_SURE = 0.97
_ENOUGH_MS = 10.0
"""A long clip is looked at until the uncertainty is below this..."""
_ENOUGH_DRIFT_MS = 40.0
"""...and a drift that would move its ends by more than this would have been seen."""
_LOWEST_RATE = 7.5
_LEAST_EYES = 11.0
_MOST_YAW = 50.0
_LEAST_MOTION = 0.012
"""Standard deviation of the mouth's opening (share of its width) below which it does not move."""
_LEAST_SECONDS = 1.0
_VOICE_OVER_SECONDS = 6.0
"""With this much of a moving mouth and of speech, and no lag that explains them, they belong to different people."""
_BEYOND_DOUBT = 0.95
"""Below this confidence the interval around the offset, which is for 95 %, says too little: the rest is said, too."""
_WORTH_A_NOTE_MS = 20.0
_MOST_LIPS = 20_000
"""Outlines of lips that a result holds at most, 1.6 MB: more than a quarter of an hour of what was looked at."""


def measure(
    path: str | Path,
    *,
    audio: str | Path | None = None,
    thorough: bool = False,
    face: int | None = None,
    start: float | None = None,
    stop: float | None = None,
) -> Job[Measurement | Refusal]:
    """Measure one clip; partial results are :class:`~engine.sync.result.Glimpse` objects, one per stretch.

    Args:
        path: the clip.
        audio: another file whose sound is measured against the clip's picture; its time zero is the clip's.
        thorough: look at everything, not only at stretches of clear speech of a long clip.
        face: which face to measure, counted from the left of the picture beginning with 1; by default the one whose
            mouth explains the sound.
        start: measure from here on only, seconds on the clip's clock; by default from the beginning.
        stop: measure up to here only; by default to the end.

    Returns:
        The measurement, also when nothing can be measured (``kind`` says so, ``reason`` why), or a refusal when the
        file itself cannot be read (as :func:`~engine.media.opening.open_media`) or has nothing between ``start`` and
        ``stop`` (``sync.empty_range``).
    """
    within = (-math.inf if start is None else start, math.inf if stop is None else stop)
    try:
        return (yield from _Measuring(Path(path), Path(audio) if audio else None, thorough, face, within).run())
    except Refused as refused:
        return refused.refusal


@dataclass(slots=True)
class _Seen:
    """One stretch that has been looked at.

    Attributes:
        stretch: which one.
        centre_ms: lag around which it was searched.
        tracks: its faces, without their shapes.
        evidences: one per track.
        openings: mouth opening per track, shape ``(frames,)`` each.
        speech_seconds: how long somebody speaks.
        frame_seconds: median time between pictures; 0 with fewer than two.
        kept: tracks with shapes and the sound, for the early stretches only: searching again needs them.
    """

    stretch: Stretch
    centre_ms: float
    tracks: tuple[FaceTrack, ...]
    evidences: tuple[Evidence, ...]
    openings: tuple[npt.NDArray[np.float32], ...]
    speech_seconds: float
    frame_seconds: float
    kept: tuple[tuple[FaceTrack, ...], Sound] | None


class _Measuring:
    """One run of :func:`measure`."""

    def __init__(
        self, path: Path, audio: Path | None, thorough: bool, face: int | None, within: tuple[float, float]
    ) -> None:
        self.path = path
        self.within = within
        self.sound_path = audio or path
        self.thorough = thorough
        self.face = face
        self.model = shipped_model()
        self.calibration = Calibration.of(self.model.calibration)
        self.seen: list[_Seen] = []
        self.notes: list[Message] = []
        self.bursts: list[Burst] = []
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def run(self) -> Job[Measurement]:
        begin = time.perf_counter()
        yield Progress("opening", 0.0)
        info = probe(self.path)
        heard = info if self.sound_path == self.path else probe(self.sound_path)
        self.seconds["open"] += time.perf_counter() - begin
        if info.video is None or info.is_picture:
            return self._unmeasurable(info, Reason.NO_PICTURE)
        if heard.audio is None:
            return self._unmeasurable(info, Reason.NO_SOUND)
        if info.video.rate < _LOWEST_RATE:
            return self._unmeasurable(info, Reason.PICTURE_TOO_SLOW)
        start, stop = self._range(info)
        if self._is_part(info) and stop <= start:
            raise Refused.because("sync.empty_range", path=self.path, length=clock_words(_span(info)[1]))
        looker = Looker(self.path, self.sound_path, info.video.display_height)
        try:
            conclusion = yield from self._look(info, looker)
            if self._should_widen(conclusion):
                yield Progress("widening", 0.95)
                conclusion = self._widened() or conclusion
        finally:
            looker.close()
            self.seconds.update(looker.seconds)
        return self._result(info, conclusion)

    def _look(self, info: MediaInfo, looker: Looker) -> Job[Conclusion | None]:
        """Look at stretch after stretch until everything is seen or enough is known."""
        start, stop = self._range(info)
        whole = self.thorough or stop - start <= SHORT_CLIP
        plan = iter(consecutive(start, stop)) if whole else self._clear(start, stop)
        expected = len(consecutive(start, stop)) if whole else _MOST_STRETCHES
        conclusion = None
        for number, stretch in enumerate(plan, start=1):
            begin, end = min(0.95, (number - 0.9) / expected), min(0.95, (number - 0.1) / expected)
            yield Progress("looking", begin)
            seeing = self._see(stretch, _expected_offset(conclusion, stretch.middle), looker)
            self.seen.append((yield from part_of(seeing, begin, end)))
            partial = self._conclude(self.seen[-1:])
            # Everything together is weighed after 1, 2, 4, 8... stretches of a run: often enough to follow a drift.
            if not whole or number & (number - 1) == 0 or number == expected:
                conclusion = self._conclude(self.seen)
            yield Progress("looking", min(0.95, number / expected), self._glimpse(partial))
            if not whole and (number >= _MOST_STRETCHES or self._is_certain(conclusion, number, stop - start)):
                break
        return self._conclude(self.seen) if whole else (yield from self._locate_steps(conclusion, looker))

    def _glimpse(self, conclusion: Conclusion | None) -> Glimpse | None:
        """Return what the newest stretch showed, weighed by itself."""
        if conclusion is None:
            return None
        return Glimpse(conclusion.points, conclusion.curves, self._mouth(conclusion, self.seen[-1:]))

    def _locate_steps(self, conclusion: Conclusion | None, looker: Looker) -> Job[Conclusion | None]:
        """Halve the unseen gaps of a long clip in which the sound jumps, until it is known where."""
        for _ in range(_MOST_HALVINGS):
            gap = None if conclusion is None or conclusion.kind is not Kind.STEPS else self._widest_jump(conclusion)
            if gap is None:
                break
            yield Progress("looking", 0.95)
            middle, half = gap.middle, min(STRETCH, gap.stop - gap.start) / 2
            seeing = self._see(Stretch(middle - half, middle + half), 0.0, looker)
            self.seen.append((yield from part_of(seeing, 0.95, 0.95)))
            conclusion = self._conclude(self.seen)
        return conclusion

    def _widest_jump(self, conclusion: Conclusion) -> Stretch | None:
        """Return the widest unseen gap that a step falls into, ``None`` if all are known well enough."""
        seen = sorted((one.stretch for one in self.seen), key=lambda stretch: stretch.start)
        gaps = [
            Stretch(before.stop, after.start)
            for before, after in pairwise(seen)
            for step in conclusion.levels.starts[1:]
            if before.middle < step < after.middle and after.start - before.stop > _KNOWN_STEP
        ]
        return max(gaps, key=lambda gap: gap.stop - gap.start, default=None)

    def _clear(self, start: float, stop: float) -> Iterator[Stretch]:
        """Yield stretches of clear speech, timing the listening that choosing takes."""
        stretches = clear_stretches(self.sound_path, start, stop)
        while True:
            begin = time.perf_counter()
            stretch = next(stretches, None)
            self.seconds["listening"] += time.perf_counter() - begin
            if stretch is None:
                return
            yield stretch

    def _see(self, stretch: Stretch, centre_ms: float, looker: Looker) -> Job[_Seen]:
        sight = yield from looker.see(stretch)
        margin = (_WIDE_REACH_MS if len(self.seen) < _KEPT else REACH_MS) / 1000 + 0.1
        heard = looker.hear(stretch, margin, centre_ms / 1000)
        sound = heard.sound
        self.bursts += heard.bursts
        return _Seen(
            stretch=stretch,
            centre_ms=centre_ms,
            tracks=tuple(track.without_shapes() for track in sight.tracks),
            evidences=tuple(self._evidence(track, sound, stretch, centre_ms, REACH_MS) for track in sight.tracks),
            openings=tuple(openings(track.points) for track in sight.tracks),
            speech_seconds=heard.speech_seconds,
            frame_seconds=sight.frame_seconds,
            kept=(sight.tracks, sound) if len(self.seen) < _KEPT else None,
        )

    def _evidence(
        self, track: FaceTrack, sound: Sound, stretch: Stretch, centre_ms: float, reach_ms: float
    ) -> Evidence:
        begin = time.perf_counter()
        found = evidence(
            track,
            sound,
            self.model,
            start=stretch.start,
            stop=stretch.stop,
            centre_ms=centre_ms,
            reach_ms=reach_ms,
        )
        self.seconds["model"] += time.perf_counter() - begin
        return found

    def _range(self, info: MediaInfo) -> tuple[float, float]:
        """Return the part of the clip that is measured, in seconds."""
        start, stop = _span(info)
        return max(start, self.within[0]), min(stop, self.within[1])

    def _is_part(self, info: MediaInfo) -> bool:
        return self._range(info) != _span(info)

    def _people(self) -> list[Person]:
        return people_of([track for seen in self.seen for track in seen.tracks])

    def _conclude(self, seen: list[_Seen]) -> Conclusion | None:
        """Weigh stretches together, per person; only the asked one where a face was asked for."""
        begin = time.perf_counter()
        number_of = {
            id(track): number for number, person in enumerate(self._people(), start=1) for track in person.tracks
        }
        stretches = []
        for one in seen:
            by_person: defaultdict[int, list[Evidence]] = defaultdict(list)
            for track, item in zip(one.tracks, one.evidences, strict=True):
                if self.face in {None, number_of[id(track)]}:
                    by_person[number_of[id(track)]].append(item)
            stretches.append(StretchEvidence({person: tuple(found) for person, found in by_person.items()}))
        conclusion = conclude(stretches, self.model.null, self.calibration)
        self.seconds["model"] += time.perf_counter() - begin
        return conclusion

    def _is_certain(self, conclusion: Conclusion | None, stretches: int, length: float) -> bool:
        """Whether a long clip has been looked at enough: offset, drift and steps are settled."""
        if conclusion is None or stretches < _ENOUGH_STRETCHES or conclusion.confidence < _SURE:
            return False
        ends = 1.96 * conclusion.line.slope_sigma * self.calibration.sigma_scale * length / 2
        return (
            self.calibration.uncertainty_ms(conclusion.peak) <= _ENOUGH_MS
            and ends <= _ENOUGH_DRIFT_MS
            and conclusion.kind is not Kind.STEPS
        )

    def _should_widen(self, conclusion: Conclusion | None) -> bool:
        return (
            conclusion is not None
            and not _is_enough(conclusion)
            and conclusion.seconds >= _WIDE_NEEDS
            and conclusion.kind is Kind.CONSTANT
        )

    def _widened(self) -> Conclusion | None:
        """Search the stretches whose shapes were kept over a wider range; ``None`` if that finds nothing either."""
        before = self.seen
        self.seen = [
            replace(
                seen,
                evidences=tuple(
                    self._evidence(track, seen.kept[1], seen.stretch, seen.centre_ms, _WIDE_REACH_MS)
                    for track in seen.kept[0]
                ),
            )
            for seen in before
            if seen.kept is not None
        ]
        conclusion = self._conclude(self.seen)
        if conclusion is None or not _is_enough(conclusion):
            self.seen = before
            return None
        self.notes.append(Message("sync.note.widened"))
        return conclusion

    def _result(self, info: MediaInfo, conclusion: Conclusion | None) -> Measurement:
        reason = self._why_not(conclusion)
        if reason is not None or conclusion is None:
            return self._unmeasurable(info, reason or Reason.NO_FACE, conclusion)
        kind, line, peak = conclusion.kind, conclusion.line, conclusion.peak
        offset_ms, drift_ppm, drift_zero, cause = peak.lag_ms, None, None, None
        steps: tuple[Step, ...] = ()
        spread = 0.0
        if kind is Kind.DRIFT:
            drift_ppm = line.slope * 1000
            start, stop = self._range(info)
            offset_ms, drift_zero = line.at((start + stop) / 2), line.at(0.0)
            sigma_ppm = 1.96e3 * line.slope_sigma * self.calibration.sigma_scale
            cause = drift_cause(drift_ppm, sigma_ppm)
        elif kind is Kind.STEPS:
            levels = conclusion.levels
            starts = [self._range(info)[0], *levels.starts[1:]]
            steps = tuple(Step(float(t), float(ms)) for t, ms in zip(starts, levels.offsets_ms, strict=True))
        elif kind is Kind.JITTER:
            spread = conclusion.scatter_ms
        elif in_sync(offset_ms):
            kind = Kind.IN_SYNC
        offset = Offset(offset_ms, self.calibration.uncertainty_ms(peak))
        mouth = self._mouth(conclusion, self.seen)
        return Measurement(
            file=str(self.path),
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
            container_delay_ms=_container_delay_ms(info),
            notes=(*self.notes, *self._notes(info, conclusion)),
            faces=len(self._people()),
            seconds_analysed=self._seconds_analysed(),
            timings=dict(self.seconds),
            plosives=match_plosives(partings(mouth), self.bursts, offset_ms),
            curves=conclusion.curves,
            mouth=mouth,
            people=self._paths(conclusion),
        )

    def _unmeasurable(self, info: MediaInfo, reason: Reason, conclusion: Conclusion | None = None) -> Measurement:
        return Measurement(
            file=str(self.path),
            kind=Kind.UNMEASURABLE,
            verdict=verdict(Kind.UNMEASURABLE, None, reason=reason),
            reason=reason,
            notes=(Message(f"sync.next_step.{reason}"), *self.notes),
            points=() if conclusion is None else conclusion.points,
            curves=() if conclusion is None else conclusion.curves,
            container_delay_ms=_container_delay_ms(info),
            faces=len(self._people()),
            seconds_analysed=self._seconds_analysed(),
            timings=dict(self.seconds),
            mouth=None if conclusion is None else self._mouth(conclusion, self.seen),
            people=self._paths(conclusion),
        )

    def _why_not(self, conclusion: Conclusion | None) -> Reason | None:
        """Return why no number can be given, the most helpful reason first, or ``None`` if one can."""
        if conclusion is not None and _is_enough(conclusion):
            return None
        if not self.seen:  # of a long clip only stretches with speech are looked at
            return Reason.NO_SPEECH
        people = self._people()
        rates = [seen.frame_seconds for seen in self.seen if seen.frame_seconds > 0]
        if not rates or np.median(rates) > 1 / _LOWEST_RATE:
            return Reason.PICTURE_TOO_SLOW
        if not people:
            return Reason.NO_FACE
        tracks = [track for person in people for track in person.tracks]
        if max(float(np.median(track.eye_distance)) for track in tracks) < _LEAST_EYES:
            return Reason.FACE_TOO_SMALL
        if min(float(np.median(np.abs(track.yaw))) for track in tracks) > _MOST_YAW:
            return Reason.MOUTH_NOT_VISIBLE
        if self._speech_seconds() < _LEAST_SECONDS:
            return Reason.TOO_SHORT if self._seconds_analysed() < 2 * _LEAST_SECONDS else Reason.NO_SPEECH
        if conclusion is None or conclusion.seconds < _LEAST_SECONDS:
            return Reason.TOO_SHORT
        if max(float(np.std(opening)) for seen in self.seen for opening in seen.openings) < _LEAST_MOTION:
            return Reason.STILL_MOUTH
        if len(people) > 1 and self.face is None:
            return Reason.SEVERAL_SPEAKERS
        return Reason.VOICE_OVER if conclusion.seconds >= _VOICE_OVER_SECONDS else Reason.UNCERTAIN

    def _speech_seconds(self) -> float:
        return sum(seen.speech_seconds for seen in self.seen)

    def _seconds_analysed(self) -> float:
        return sum(seen.stretch.stop - seen.stretch.start for seen in self.seen)

    def _notes(self, info: MediaInfo, conclusion: Conclusion) -> Iterator[Message]:
        if conclusion.confidence < _BEYOND_DOUBT:
            yield Message("sync.note.doubtful", percent=math.floor(100 * conclusion.confidence))
        people = self._people()
        if len(people) > 1:
            owner = Counter(conclusion.owners).most_common(1)[0][0]
            yield Message("sync.note.faces", count=len(people), number=owner)
        start, stop = self._range(info)
        if self._is_part(info):
            yield Message("sync.note.part", start=clock_words(start), stop=clock_words(stop))
        if self._seconds_analysed() < 0.9 * (stop - start):
            yield Message(
                "sync.note.sampled", windows=len(self.seen), seconds=self._seconds_analysed(), total=stop - start
            )
        if info.video is not None and info.video.is_variable:
            yield Message("sync.note.variable_rate")
        delay = _container_delay_ms(info)
        if delay is not None and abs(delay) >= _WORTH_A_NOTE_MS:
            way = Message(f"sync.note.{'after' if delay > 0 else 'before'}", ms=abs(delay))
            yield Message("sync.note.container", delay=way)

    def _mouth(self, conclusion: Conclusion, looked_at: list[_Seen]) -> MouthTrace:
        """Return the opening of the person whose mouth explains the sound of some stretches, NaN between them."""
        people = self._people()
        owner = Counter(conclusion.owners).most_common(1)[0][0]
        mine = {id(track) for track in people[owner - 1].tracks}
        times: list[npt.NDArray[np.float64]] = []
        values: list[npt.NDArray[np.float32]] = []
        for seen in sorted(looked_at, key=lambda item: item.stretch.start):
            for track, opening in zip(seen.tracks, seen.openings, strict=True):
                if id(track) in mine:
                    # One empty sample after each run, so that nobody draws a line across what was not looked at.
                    times += [track.times, track.times[-1:] + 1e-3]
                    values += [opening, np.full(1, np.nan, np.float32)]
        return MouthTrace(np.concatenate(times), np.concatenate(values))

    def _paths(self, conclusion: Conclusion | None) -> tuple[FacePath, ...]:
        """Return where each person was seen."""
        owner = None if conclusion is None else Counter(conclusion.owners).most_common(1)[0][0]
        people = self._people()
        most_lips = _MOST_LIPS // max(len(people), 1)
        return tuple(
            FacePath(
                times=np.concatenate([track.times for track in person.tracks]),
                boxes=np.concatenate([track.boxes for track in person.tracks]),
                is_measured=number == owner,
                lips=np.concatenate([track.lips for track in person.tracks])[:most_lips],
            )
            for number, person in enumerate(people, start=1)
        )


def _span(info: MediaInfo) -> tuple[float, float]:
    """Return when the picture begins and ends, in seconds."""
    assert info.video is not None  # callers have checked
    start = float(info.video.start)
    length = info.video.duration if info.video.duration is not None else info.duration
    return start, start + float(length or 0)


def _is_enough(conclusion: Conclusion) -> bool:
    """Return whether there is evidence for a number."""
    least = _ENOUGH_WHEN_SHORT if conclusion.seconds < _SHORT_EVIDENCE else _ENOUGH_CONFIDENCE
    return conclusion.confidence >= least


def _container_delay_ms(info: MediaInfo) -> float | None:
    return None if info.container_delay is None else float(info.container_delay) * 1000


def _expected_offset(conclusion: Conclusion | None, middle: float) -> float:
    """Return the lag to search around: that of a steep line found so far, else zero."""
    if conclusion is None or conclusion.kind is not Kind.DRIFT or abs(conclusion.line.slope) < _FOLLOW_SLOPE:
        return 0.0
    return conclusion.line.at(middle)
