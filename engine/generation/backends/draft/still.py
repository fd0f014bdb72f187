"""A still picture speaks: mouth, blinks, and a gentle turning of the head."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine.face.mesh import FaceFinder, Image, Mesh
from engine.generation.backend import RenderJob
from engine.generation.backends.draft.articulation import Articulation
from engine.generation.backends.draft.finding import Sighting, boxes_in, chosen_face, grouped, still_mesh
from engine.generation.backends.draft.lids import Lids
from engine.generation.backends.draft.performance import Performance
from engine.generation.backends.draft.portrait import Resting, mesh_from_points
from engine.generation.backends.draft.settings import Settings
from engine.generation.backends.draft.speaking_face import SpeakingFace
from engine.generation.backends.draft.sway import relief
from engine.generation.plan import Segment
from engine.generation.spec import SilencePolicy
from engine.refusal import Refused
from engine.sample.motion import Motion

Floats = npt.NDArray[np.float32]


class Still:
    """A picture, ready to speak.

    Args:
        job: what is to be drawn.
        performance: the voice.
        settings: the engine's own.

    Raises:
        Refused: ``draft.no_face``, ``draft.no_such_face``, ``draft.face_points``.
    """

    def __init__(self, job: RenderJob, performance: Performance, settings: Settings) -> None:
        self._job, self._performance, self._settings = job, performance, settings
        self._image = job.source.frame_at(0)
        mesh = find_face(self._image, job)
        self._face = SpeakingFace.of(self._image, mesh)
        self._lids = Lids(self._image, mesh)
        self._relief = relief(mesh, self._face.fields.grid)
        self._resting = Resting.of(self._face.shape.points, performance.model)
        self._motion = Motion(job.spec.seed, amount=settings.sway)

    def frames(self, segment: Segment) -> Iterator[Image]:
        """Yield the pictures of a segment."""
        fps = self._job.plan.fps
        times = np.array([float((segment.first_frame + number) / fps) for number in range(segment.frame_count)])
        mouths, speaking = self._performance.at(times, float(1 / fps))
        for time, mouth, share in zip(times.tolist(), mouths, speaking.tolist(), strict=True):
            yield self._drawn(time, mouth * np.float32(self._settings.expressiveness), share)

    def close(self) -> None:
        """Nothing is held."""

    def _drawn(self, time: float, mouth: Floats, speaking: float) -> Image:
        model: Articulation = self._performance.model
        pose = self._motion.at(time)
        image = self._image
        patches = self._lids.patches(pose.lid) if self._settings.blinks else []
        if patches:
            image = image.copy()
            for box, patch in patches:
                box.of(image)[:] = patch
        wanted = self._resting.moved(mouth, model)
        if self._job.spec.silence_policy is SilencePolicy.ORIGINAL:
            own = self._face.shape.points
            wanted = own + (wanted - own) * np.float32(speaking)
        turned = self._relief * np.array([pose.yaw, pose.pitch], np.float32)
        return self._face.drawn(image, wanted, self._resting.points, turned)


def find_face(image: Image, job: RenderJob) -> Floats:
    """Return the landmarks of the face that is to speak, in pixels.

    Raises:
        Refused: ``draft.no_face`` if none is found and none was marked, ``draft.no_such_face``, ``draft.face_points``.
    """
    if job.spec.face_points:
        height, width = image.shape[:2]
        return mesh_from_points(np.array(job.spec.face_points, np.float32) * np.array([width, height], np.float32))
    finder, mesh = FaceFinder(), Mesh()
    try:
        boxes = boxes_in(finder, image)
        if boxes:
            people = grouped([[Sighting(0, box) for box in boxes]])
            found = still_mesh(mesh, image, chosen_face(people, job.spec.face)[0].box)
            if found is not None:
                return found
    finally:
        finder.close()
        mesh.close()
    raise Refused.because("draft.no_face", path=job.source.path)
