"""Measure how far sound and lips of a clip are apart."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from engine.face.mouth import openings
from engine.face.tracks import FaceTrack
from engine.jobs import Job, Progress, part_of
from engine.media.probe import probe
from engine.refusal import Refusal, Refused
from engine.sync.answer import LOWEST_RATE, answer, is_enough, unmeasurable
from engine.sync.calibration import Calibration
from engine.sync.conclude import Conclusion, StretchEvidence, conclude
from engine.sync.evidence import REACH_MS, Evidence, Sound, evidence
from engine.sync.look import Looker
from engine.sync.looked_at import LookedAt, Seen
from engine.sync.result import Glimpse, Kind, Measurement, Reason
from engine.sync.stretches import SHORT_CLIP, STRETCH, Stretch, clear_stretches, consecutive
from engine.sync.towers import shipped_model
from engine.timing import clock_words
from engine.words import Message

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
"""How many stretches of a long clip are looked at, at least and at most..."""
_MOST_HALVINGS = 16
"""...and how many more in search of the places where the sound jumps."""
_KNOWN_STEP = 2.0
"""Seconds within which the place of a jump must be known."""
_SURE = 0.97
_ENOUGH_MS = 10.0
"""A long clip is looked at until the confidence is above the one and the uncertainty below the other..."""
_ENOUGH_DRIFT_MS = 40.0
"""...and a drift that would move its ends by more than this would have been seen."""


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
        yield Progress("opening", 0.0)
        return (yield from _Measuring(Path(path), Path(audio) if audio else None, thorough, face, within).run())
    except Refused as refused:
        return refused.refusal


class _Measuring:
    """One run of :func:`measure`."""

    def __init__(
        self, path: Path, audio: Path | None, thorough: bool, face: int | None, within: tuple[float, float]
    ) -> None:
        self.path = path
        self.sound_path = audio or path
        self.thorough = thorough
        self.model = shipped_model()
        self.calibration = Calibration.of(self.model.calibration)
        begin = time.perf_counter()
        self.looked = LookedAt(probe(path), within, face)
        self.heard = self.looked.info if self.sound_path == path else probe(self.sound_path)
        self.looked.seconds["open"] = time.perf_counter() - begin

    def run(self) -> Job[Measurement]:
        looked, info = self.looked, self.looked.info
        if info.video is None or info.is_picture:
            return unmeasurable(looked, Reason.NO_PICTURE)
        if self.heard.audio is None:
            return unmeasurable(looked, Reason.NO_SOUND)
        if info.video.rate < LOWEST_RATE:
            return unmeasurable(looked, Reason.PICTURE_TOO_SLOW)
        start, stop = looked.range
        if looked.is_part and stop <= start:
            raise Refused.because("sync.empty_range", path=self.path, length=clock_words(looked.span[1]))
        looker = Looker(self.path, self.sound_path, info.video.display_height)
        try:
            conclusion = yield from self._look(looker)
            if self._should_widen(conclusion):
                yield Progress("widening", 0.95)
                conclusion = self._widened() or conclusion
        finally:
            looker.close()
            looked.seconds.update(looker.seconds)
        return answer(looked, conclusion, self.calibration)

    def _look(self, looker: Looker) -> Job[Conclusion | None]:
        """Look at stretch after stretch until everything is seen or enough is known."""
        start, stop = self.looked.range
        whole = self.thorough or stop - start <= SHORT_CLIP
        plan = iter(consecutive(start, stop)) if whole else self._clear(start, stop)
        expected = len(consecutive(start, stop)) if whole else _MOST_STRETCHES
        conclusion = None
        for number, stretch in enumerate(plan, start=1):
            begin, end = min(0.95, (number - 0.9) / expected), min(0.95, (number - 0.1) / expected)
            yield Progress("looking", begin)
            seeing = self._see(stretch, _expected_offset(conclusion, stretch.middle), looker)
            self.looked.seen.append((yield from part_of(seeing, begin, end)))
            partial = self._conclude(self.looked.seen[-1:])
            # Everything together is weighed after 1, 2, 4, 8... stretches of a run: often enough to follow a drift.
            if not whole or number & (number - 1) == 0 or number == expected:
                conclusion = self._conclude(self.looked.seen)
            yield Progress("looking", min(0.95, number / expected), self._glimpse(partial))
            if not whole and (number >= _MOST_STRETCHES or self._is_certain(conclusion, number, stop - start)):
                break
        return self._conclude(self.looked.seen) if whole else (yield from self._locate_steps(conclusion, looker))

    def _glimpse(self, conclusion: Conclusion | None) -> Glimpse | None:
        """Return what the newest stretch showed, weighed by itself."""
        if conclusion is None:
            return None
        return Glimpse(conclusion.points, conclusion.curves, self.looked.mouth(conclusion, self.looked.seen[-1:]))

    def _locate_steps(self, conclusion: Conclusion | None, looker: Looker) -> Job[Conclusion | None]:
        """Halve the unseen gaps of a long clip in which the sound jumps, until it is known where."""
        for _ in range(_MOST_HALVINGS):
            gap = None if conclusion is None or conclusion.kind is not Kind.STEPS else self._widest_jump(conclusion)
            if gap is None:
                break
            yield Progress("looking", 0.95)
            middle, half = gap.middle, min(STRETCH, gap.stop - gap.start) / 2
            seeing = self._see(Stretch(middle - half, middle + half), 0.0, looker)
            self.looked.seen.append((yield from part_of(seeing, 0.95, 0.95)))
            conclusion = self._conclude(self.looked.seen)
        return conclusion

    def _widest_jump(self, conclusion: Conclusion) -> Stretch | None:
        """Return the widest unseen gap that a step falls into, ``None`` if all are known well enough."""
        seen = sorted((one.stretch for one in self.looked.seen), key=lambda stretch: stretch.start)
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
            self.looked.seconds["listening"] += time.perf_counter() - begin
            if stretch is None:
                return
            yield stretch

    def _see(self, stretch: Stretch, centre_ms: float, looker: Looker) -> Job[Seen]:
        sight = yield from looker.see(stretch)
        margin = (_WIDE_REACH_MS if len(self.looked.seen) < _KEPT else REACH_MS) / 1000 + 0.1
        heard = looker.hear(stretch, margin, centre_ms / 1000)
        sound = heard.sound
        self.looked.bursts += heard.bursts
        return Seen(
            stretch=stretch,
            centre_ms=centre_ms,
            tracks=tuple(track.without_shapes() for track in sight.tracks),
            evidences=tuple(self._evidence(track, sound, stretch, centre_ms, REACH_MS) for track in sight.tracks),
            openings=tuple(openings(track.points) for track in sight.tracks),
            speech_seconds=heard.speech_seconds,
            frame_seconds=sight.frame_seconds,
            kept=(sight.tracks, sound) if len(self.looked.seen) < _KEPT else None,
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
        self.looked.seconds["model"] += time.perf_counter() - begin
        return found

    def _conclude(self, seen: list[Seen]) -> Conclusion | None:
        """Weigh stretches together, per person; only the asked one where a face was asked for."""
        begin = time.perf_counter()
        number_of = {
            id(track): number for number, person in enumerate(self.looked.people, start=1) for track in person.tracks
        }
        stretches = []
        for one in seen:
            by_person: defaultdict[int, list[Evidence]] = defaultdict(list)
            for track, item in zip(one.tracks, one.evidences, strict=True):
                if self.looked.face in {None, number_of[id(track)]}:
                    by_person[number_of[id(track)]].append(item)
            stretches.append(StretchEvidence({person: tuple(found) for person, found in by_person.items()}))
        conclusion = conclude(stretches, self.model.null, self.calibration)
        self.looked.seconds["model"] += time.perf_counter() - begin
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
            and not is_enough(conclusion)
            and conclusion.seconds >= _WIDE_NEEDS
            and conclusion.kind is Kind.CONSTANT
        )

    def _widened(self) -> Conclusion | None:
        """Search the stretches whose shapes were kept over a wider range; ``None`` if that finds nothing either."""
        before = self.looked.seen
        self.looked.seen = [
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
        conclusion = self._conclude(self.looked.seen)
        if conclusion is None or not is_enough(conclusion):
            self.looked.seen = before
            return None
        self.looked.notes.append(Message("sync.note.widened"))
        return conclusion


def _expected_offset(conclusion: Conclusion | None, middle: float) -> float:
    """Return the lag to search around: that of a steep line found so far, else zero."""
    if conclusion is None or conclusion.kind is not Kind.DRIFT or abs(conclusion.line.slope) < _FOLLOW_SLOPE:
        return 0.0
    return conclusion.line.at(middle)
