"""What was looked at of a clip: stretches with faces and sound, the people in them, and where they were seen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.face.people import Person, people_of
from engine.face.tracks import FaceTrack
from engine.media.probe import MediaInfo
from engine.sync.conclude import Conclusion
from engine.sync.evidence import Evidence, Sound
from engine.sync.plosives import Burst
from engine.sync.result import FacePath, MouthTrace
from engine.sync.stretches import Stretch
from engine.words import Message

_MOST_LIPS = 20_000
"""Outlines of lips that a result holds at most, 1.6 MB: more than a quarter of an hour of what was looked at."""


@dataclass(slots=True)
class Seen:
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


@dataclass
class LookedAt:
    """Everything that was looked at so far.

    Attributes:
        info: the clip.
        within: the part that is to be measured, seconds on the clip's clock; infinite for an open end.
        face: which person was asked for, counted from the left beginning with 1; ``None`` for the one that speaks.
        seen: the stretches, in the order in which they were looked at.
        bursts: plosive bursts heard in them.
        notes: what was unusual about looking.
        seconds: of work, by kind of work.
    """

    info: MediaInfo
    within: tuple[float, float]
    face: int | None = None
    seen: list[Seen] = field(default_factory=list)
    bursts: list[Burst] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def range(self) -> tuple[float, float]:
        """The part of the clip that is measured, in seconds."""
        start, stop = self.span
        return max(start, self.within[0]), min(stop, self.within[1])

    @property
    def span(self) -> tuple[float, float]:
        """When the picture begins and ends, in seconds; there has to be one."""
        assert self.info.video is not None
        start = float(self.info.video.start)
        length = self.info.video.duration if self.info.video.duration is not None else self.info.duration
        return start, start + float(length or 0)

    @property
    def is_part(self) -> bool:
        """Whether only a part of the clip is measured."""
        return self.range != self.span

    @property
    def people(self) -> list[Person]:
        """Everybody who was seen, from left to right."""
        return people_of([track for seen in self.seen for track in seen.tracks])

    @property
    def speech_seconds(self) -> float:
        """How long somebody spoke."""
        return sum(seen.speech_seconds for seen in self.seen)

    @property
    def seconds_analysed(self) -> float:
        """How much of the clip was looked at."""
        return sum(seen.stretch.stop - seen.stretch.start for seen in self.seen)

    def mouth(self, conclusion: Conclusion, looked_at: Sequence[Seen]) -> MouthTrace:
        """Return the opening of the person whose mouth explains the sound of some stretches, NaN between them."""
        mine = {id(track) for track in self.people[owner_of(conclusion) - 1].tracks}
        times: list[npt.NDArray[np.float64]] = []
        values: list[npt.NDArray[np.float32]] = []
        for seen in sorted(looked_at, key=lambda item: item.stretch.start):
            for track, opening in zip(seen.tracks, seen.openings, strict=True):
                if id(track) in mine:
                    # One empty sample after each run, so that nobody draws a line across what was not looked at.
                    times += [track.times, track.times[-1:] + 1e-3]
                    values += [opening, np.full(1, np.nan, np.float32)]
        return MouthTrace(np.concatenate(times), np.concatenate(values))

    def paths(self, conclusion: Conclusion | None) -> tuple[FacePath, ...]:
        """Return where each person was seen."""
        owner = None if conclusion is None else owner_of(conclusion)
        people = self.people
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


def owner_of(conclusion: Conclusion) -> int:
    """Return whose mouth explains the sound, counted from the left beginning with 1."""
    return Counter(conclusion.owners).most_common(1)[0][0]
