"""A video speaks with another voice: its own mouth motion is taken out, head and eyes stay as they are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.face.landmarks import FaceShape, shape_of
from engine.face.mesh import FaceFinder, Image, Mesh
from engine.face.tracks import MAX_RESIDUAL
from engine.generation.backend import RenderJob
from engine.generation.backends.draft.finding import Sighting, Whereabouts, boxes_in, chosen_face, grouped, still_mesh
from engine.generation.backends.draft.interior import Light
from engine.generation.backends.draft.parameters import OPENING, measures
from engine.generation.backends.draft.performance import Performance
from engine.generation.backends.draft.portrait import Resting, region_points
from engine.generation.backends.draft.settings import Settings
from engine.generation.backends.draft.speaking_face import SpeakingFace
from engine.generation.plan import Segment
from engine.generation.spec import SilencePolicy
from engine.jobs import Job, Progress
from engine.refusal import Refused
from engine.sync.ahead import read_ahead

Floats = npt.NDArray[np.float32]

_SAMPLES = 20
"""Pictures that are looked at before rendering: who is where, how the mouth rests, what light there is."""
_RESTING_SHARE = 0.25
_LEAD = 4
"""Pictures before a segment with which the landmarks settle: the network goes on from its last answer."""
_AROUND = 2
"""Pictures on both sides over which landmarks and presence are smoothed."""
_KERNEL = {-1: 1.0, 0: 4.0, 1: 1.0}
"""Symmetric, so without delay; takes a third off the landmarks' trembling and leaves speech alone."""
_FULL_YAW, _NO_YAW = 32.0, 48.0
"""Degrees of turn between which the new mouth fades to the original: landmarks are guesses on the far side."""
_LEAST_PRESENCE = 0.01
"""Share of the new mouth below which the original is shown."""
_LOOK_AGAIN = 4
"""Pictures between looks for a face that was lost."""
_STRAY = 1.5
"""A face further (in its widths) from where the person is expected is somebody else's."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One picture and the landmarks of the face in it, ``None`` where there is none, and how much it is turned here."""

    frame: int
    image: Image
    mesh: Floats | None
    presence: float


class Video:
    """A video, ready to speak; made by :meth:`prepared`."""

    def __init__(
        self,
        job: RenderJob,
        performance: Performance,
        settings: Settings,
        where: Whereabouts,
        resting: Resting,
        light: Light,
    ) -> None:
        self._job, self._performance, self._settings = job, performance, settings
        self._where, self._resting, self._light = where, resting, light
        self._finder, self._mesh = FaceFinder(), Mesh()

    @classmethod
    def prepared(cls, job: RenderJob, performance: Performance, settings: Settings) -> Job[Video]:
        """Look at pictures from all over the video.

        Raises:
            Refused: ``draft.no_face``, ``draft.no_such_face``.
        """
        count = job.plan.frame_count
        wanted = sorted({round(place) for place in np.linspace(0, count - 1, min(count, _SAMPLES))})
        finder, mesh = FaceFinder(), Mesh()
        try:
            together: list[list[Sighting]] = []
            looks: dict[Sighting, tuple[FaceShape, Light]] = {}
            for done, frame in enumerate(wanted):
                image = job.source.frame_at(frame)
                together.append([])
                for box in boxes_in(finder, image):
                    sighting = Sighting(frame, box)
                    together[-1].append(sighting)
                    found = still_mesh(mesh, image, box)
                    if found is not None:
                        looks[sighting] = (shape_of(found), Light.of(image, found, region_points(found)))
                yield Progress("looking", (done + 1) / len(wanted))
            people = grouped([faces for faces in together if faces])
            if not people:
                raise Refused.because("draft.no_face", path=job.source.path)
            where = Whereabouts(tuple(chosen_face(people, job.spec.face)))
        finally:
            finder.close()
            mesh.close()
        seen = [looks[sighting] for sighting in where.sightings if sighting in looks]
        if not seen:
            raise Refused.because("draft.no_face", path=job.source.path)
        resting = _resting_of([shape for shape, _ in seen], performance)
        return cls(job, performance, settings, where, resting, _usual([light for _, light in seen]))

    def close(self) -> None:
        """Free the native graphs."""
        self._finder.close()
        self._mesh.close()

    def frames(self, segment: Segment) -> Iterator[Image]:
        """Yield the pictures of a segment."""
        fps = self._job.plan.fps
        times = np.array([float((segment.first_frame + number) / fps) for number in range(segment.frame_count)])
        mouths, speaking = self._performance.at(times, float(1 / fps))
        wanted = range(segment.first_frame, segment.stop_frame)
        # Decoding, landmarks and splines in one thread, drawing and encoding in the other take about equally long.
        following = read_ahead((seen, self._face(seen)) for seen in self._followed(segment) if seen.frame in wanted)
        try:
            for seen, face in following:
                number = seen.frame - segment.first_frame
                yield self._drawn(seen, face, mouths[number], float(speaking[number]))
        finally:
            following.close()  # type: ignore[attr-defined]

    def _face(self, seen: _Seen) -> SpeakingFace | None:
        if seen.mesh is None or seen.presence <= _LEAST_PRESENCE:
            return None
        return SpeakingFace.of(seen.image, seen.mesh, self._light, in_video=True)

    def _drawn(self, seen: _Seen, face: SpeakingFace | None, mouth: Floats, speaking: float) -> Image:
        share = seen.presence
        if self._job.spec.silence_policy is SilencePolicy.ORIGINAL:
            share *= speaking
        if face is None or share <= _LEAST_PRESENCE:
            return seen.image
        own = face.shape.points
        wanted = self._resting.moved(mouth * np.float32(self._settings.expressiveness), self._performance.model)
        return face.drawn(seen.image, own + (wanted - own) * np.float32(share), self._resting.points)

    def _followed(self, segment: Segment) -> Iterator[_Seen]:
        """Yield the pictures of a segment with smoothed landmarks; the window over neighbours is all that is kept."""
        window: deque[_Seen] = deque(maxlen=2 * _AROUND + 1)
        last = min(segment.stop_frame + _AROUND, self._job.plan.frame_count)
        waiting = max(segment.first_frame - _LEAD, 0)
        for seen in self._meshes(segment, last):
            window.append(seen)
            if seen.frame - waiting >= _AROUND:
                yield _smoothed(window, waiting)
                waiting += 1
        while waiting < last:
            yield _smoothed(window, waiting)
            waiting += 1

    def _meshes(self, segment: Segment, last: int) -> Iterator[_Seen]:
        first = max(segment.first_frame - _LEAD, 0)
        self._mesh.restart()
        box: Floats | None = None
        mesh: Floats | None = None
        presence, lost, shown = 0.0, 0, -1
        for frame, image in enumerate(self._job.source.frames(first, last - first), first):
            number = self._job.source.picture_number(frame)
            if number != shown:  # a slower video shows each picture several times
                if box is None and lost % _LOOK_AGAIN == 0:
                    box = self._found(image, frame)
                found = None if box is None else self._mesh.follow(image, box)
                shape = None if found is None else shape_of(found.points)
                if found is None or shape is None or shape.residual > MAX_RESIDUAL:
                    box, mesh, presence, lost = None, None, 0.0, lost + 1
                else:
                    box, mesh, presence, lost = found.box(), found.in_picture(), _visible(shape), 0
            shown = number
            yield _Seen(frame, image, mesh, presence)

    def _found(self, image: Image, frame: int) -> Floats | None:
        expected = Sighting(frame, self._where.near(frame))
        faces = [Sighting(frame, box) for box in self._finder.find(image, tiles=False)]
        near = [
            (float(np.linalg.norm(face.middle - expected.middle)) / max(face.width, expected.width), number)
            for number, face in enumerate(faces)
        ]
        distance, number = min(near, default=(np.inf, -1))
        return faces[number].box if distance <= _STRAY else None


def _smoothed(window: deque[_Seen], frame: int) -> _Seen:
    """Return one picture of a window with landmarks and presence smoothed over its neighbours."""
    by_frame = {seen.frame: seen for seen in window}
    own = by_frame[frame]
    if own.mesh is None:
        return own
    total, mesh = 0.0, np.zeros_like(own.mesh)
    size = float(np.ptp(own.mesh[:, 0]))
    for offset, weight in _KERNEL.items():
        other = by_frame.get(frame + offset, own).mesh
        # Across a cut, or where the network has jumped, neighbours say nothing.
        if other is not None and float(np.abs(other - own.mesh).max()) < 0.15 * size:
            mesh += np.float32(weight) * other
            total += weight
    near = [seen.presence for number, seen in by_frame.items() if abs(number - frame) <= _AROUND]
    return _Seen(frame, own.image, mesh / np.float32(total), float(np.mean(near)) * own.presence)


def _visible(shape: FaceShape) -> float:
    """Return 1 for a face that looks here, falling to 0 as it turns to the side."""
    share = float(np.clip((_NO_YAW - abs(shape.yaw_degrees)) / (_NO_YAW - _FULL_YAW), 0, 1))
    return share * share * (3 - 2 * share)


def _resting_of(shapes: list[FaceShape], performance: Performance) -> Resting:
    """Return the shut mouth: the median of the pictures in which it is open least."""
    points = np.stack([shape.points for shape in shapes])
    gaps = points.reshape(len(points), -1) @ measures()[OPENING]
    return Resting.of(np.median(points[gaps <= np.quantile(gaps, _RESTING_SHARE)], axis=0), performance.model)


def _usual(lights: list[Light]) -> Light:
    return Light(
        np.median([light.teeth for light in lights], axis=0),
        np.median([light.flesh for light in lights], axis=0),
        np.median([light.dark for light in lights], axis=0),
        np.median([light.line for light in lights], axis=0),
        float(np.median([light.softness for light in lights])),
    )
