"""Tracks of the same place are taken for the same person: who sits where, counted from the left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.face.tracks import FaceTrack

_SAME_PLACE = 0.75
"""Largest distance between face centres, in face widths."""
_SAME_SIZE = 1.7
"""Largest ratio of face widths."""


@dataclass(frozen=True, slots=True)
class Person:
    """Everything seen of one face across tracks.

    Attributes:
        tracks: not overlapping in time, ascending.
        left: horizontal middle as a share of the picture's width.
    """

    tracks: tuple[FaceTrack, ...]
    left: float

    @property
    def sightings(self) -> int:
        """Frames in which the face was seen."""
        return sum(len(track) for track in self.tracks)


def people_of(tracks: Sequence[FaceTrack]) -> list[Person]:
    """Group tracks into people, ordered from the left of the picture to the right."""
    groups: list[list[FaceTrack]] = []
    for track in sorted(tracks, key=lambda item: float(item.times[0])):
        home = next((group for group in groups if _belongs(track, group[-1])), None)
        if home is None:
            groups.append([track])
        else:
            home.append(track)
    persons = [
        Person(tuple(group), float(np.mean([(track.boxes[:, 0] + track.boxes[:, 2]).mean() / 2 for track in group])))
        for group in groups
    ]
    return sorted(persons, key=lambda person: person.left)


def _belongs(track: FaceTrack, earlier: FaceTrack) -> bool:
    if track.times[0] <= earlier.times[-1]:
        return False
    first, last = track.boxes[0], earlier.boxes[-1]
    width, last_width = float(first[2] - first[0]), float(last[2] - last[0])
    ratio = width / max(last_width, 1e-6)
    if not 1 / _SAME_SIZE < ratio < _SAME_SIZE:
        return False
    # Boxes are shares of the picture's sides; widths bound both distances well enough for faces.
    apart = np.abs((first[:2] + first[2:]) / 2 - (last[:2] + last[2:]) / 2)
    height = float(first[3] - first[1])
    return bool(apart[0] < _SAME_PLACE * width and apart[1] < _SAME_PLACE * height)
