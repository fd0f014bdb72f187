"""Who sits where in a sample clip, and what each frame looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.sample.articulation import Articulation, MouthShape
from engine.sample.face import Face, Picture
from engine.sample.figure import backdrop
from engine.sample.look import Look
from engine.sample.motion import Motion

_SPEAKER_HEIGHT_MM = 390.0
"""What the height of a landscape picture shows of a person."""

_ROOM_PER_PERSON_MM = 330.0
_DRAWN_BELOW_EYES_MM = 262.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the picture.

    Attributes:
        look: who.
        motion: how the head moves.
        articulation: how the mouth moves, or ``None`` for somebody who listens.
    """

    look: Look
    motion: Motion
    articulation: Articulation | None


class Scene:
    """A room with people side by side, or nobody.

    Args:
        size: width and height in pixels.
        people: from left to right.
        room: whose background.
        seed: of the background.
    """

    def __init__(self, size: tuple[int, int], people: Sequence[Person], room: Look, seed: int) -> None:
        width, height = size
        count = max(len(people), 1)
        scale = min(height / _SPEAKER_HEIGHT_MM, width / count / _ROOM_PER_PERSON_MM)
        scale = max(scale, 0.6 * height / _DRAWN_BELOW_EYES_MM)  # a tall picture must not show where the drawing ends
        self._people = tuple(people)
        self._faces = [Face(person.look, scale) for person in people]
        self._centres = [(width * (index + 0.5) / count, 0.405 * height) for index in range(len(people))]
        self._room = backdrop(room, size, seed)
        self.scale = scale

    def frame(self, seconds: float) -> Picture:
        """Return the picture at an instant, RGB, shape ``(height, width, 3)``."""
        picture = self._room.copy()
        for person, face, centre in zip(self._people, self._faces, self._centres, strict=True):
            shape = _LISTENING if person.articulation is None else person.articulation.at(seconds)[0]
            face.draw(picture, shape, person.motion.at(seconds), centre)
        return picture


_LISTENING = MouthShape(*(np.array(value) for value in (0.0, 0.4, 0.5, 0.0, 0.0, 0.0, 0.0)))
