"""A drawn person who can move: the still drawing is made once, each frame moves the mouth, the lids and the head."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from engine.sample import eyes, mouth
from engine.sample.articulation import MouthShape
from engine.sample.figure import draw_neck, draw_shoulders
from engine.sample.hair import draw_back_hair, draw_front_hair
from engine.sample.head import draw_head, turn_depth
from engine.sample.look import Look
from engine.sample.motion import Pose
from engine.sample.painting import Canvas, Plane, coarse_grid, spread

Picture = npt.NDArray[np.uint8]

_OVERSIZE = 1.2
"""The still drawing has so many of its pixels to one of the frame, so that moving it does not blur it."""

_LID_STEPS = 12
_PIVOT_Y = 128.0
"""Height of the joint that the head turns about, mm below the eyes."""


class Face:
    """One person, drawn at one size.

    Args:
        look: who.
        scale: pixels of the frame per mm; the eyes are 63 mm apart.
    """

    def __init__(self, look: Look, scale: float) -> None:
        self.look = look
        self.scale = scale
        canvas = Canvas(-232, -156, 464, 420, scale * _OVERSIZE)
        picture = np.zeros((*canvas.shape, 4), np.float32)
        draw_back_hair(canvas, picture, look)
        draw_neck(canvas, picture, look)
        draw_shoulders(canvas, picture, look)
        head = draw_head(canvas, picture, look)
        draw_front_hair(canvas, picture, head, look)
        self._canvas = canvas
        self._still = np.clip(picture, 0, 1)
        self._moving = np.clip(np.round(self._still * 255), 0, 255).astype(np.uint8)
        self._depth = turn_depth(canvas, look)
        self._mouth_canvas, self._mouth_place = canvas.part(*mouth.REGION)
        self._lips_canvas, self._lips_place = canvas.part(*mouth.LIPS_REGION)
        self._lower_face = self._moving[self._mouth_place].copy()
        self._eye_canvas, self._eye_place = canvas.part(*eyes.REGION)
        self._lids: dict[int, Picture] = {}

    def draw(self, frame: Picture, shape: MouthShape, pose: Pose, centre: tuple[float, float]) -> None:
        """Draw the person over ``frame`` in place.

        Args:
            frame: RGB, shape ``(height, width, 3)``.
            shape: the mouth at this instant (scalars).
            pose: head and lids.
            centre: pixel at which the point between the eyes of an unmoved head lies.
        """
        self._move_eyes(pose.lid)
        self._move_mouth(shape)
        self._place(frame, pose, centre)

    def _move_eyes(self, lid: float) -> None:
        step = round(lid * _LID_STEPS)
        patch = self._lids.get(step)
        if patch is None:
            still = self._still[self._eye_place].copy()
            eyes.draw_eyes(self._eye_canvas, still[..., :3], step / _LID_STEPS, self.look)
            if self.look.glasses:
                eyes.draw_glasses(self._eye_canvas, still[..., :3])
            patch = np.clip(np.round(still * 255), 0, 255).astype(np.uint8)
            self._lids[step] = patch
        self._moving[self._eye_place] = patch

    def _move_mouth(self, shape: MouthShape) -> None:
        canvas = self._mouth_canvas
        source_x, source_y = mouth.skin_source(canvas, shape)
        self._moving[self._mouth_place] = cv2.remap(
            self._lower_face,
            (source_x - canvas.left) * canvas.scale - 0.5,
            (source_y - canvas.top) * canvas.scale - 0.5,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        patch = self._moving[self._lips_place][..., :3]
        skin = patch.astype(np.float32) / 255
        mouth.draw_mouth(self._lips_canvas, skin, shape, self.look)
        patch[:] = np.clip(skin * 255 + 0.5, 0, 255)

    def _place(self, frame: Picture, pose: Pose, centre: tuple[float, float]) -> None:
        """Turn and shift the drawing and lay it over the frame."""
        canvas, rows, columns = self._canvas, frame.shape[0], frame.shape[1]
        left = max(0, int(centre[0] + (canvas.left - 4) * self.scale))
        right = min(columns, int(centre[0] + (canvas.left + canvas.width + 4) * self.scale))
        top = max(0, int(centre[1] + (canvas.top - 4) * self.scale))
        step = 12
        x = (left + coarse_grid(right - left, step) + 0.5 - centre[0])[None, :] / self.scale
        y = (top + coarse_grid(rows - top, step) + 0.5 - centre[1])[:, None] / self.scale
        source_x, source_y = self._source(x, y, pose)
        shape = (rows - top, right - left)
        map_x, map_y = spread(source_x, step, shape), spread(source_y, step, shape)
        person = cv2.remap(self._moving, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        region = frame[top:, left:right]
        away = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(person, 3)), cv2.COLOR_GRAY2RGB)
        region[:] = cv2.add(cv2.multiply(region, away, scale=1 / 255), cv2.cvtColor(person, cv2.COLOR_RGBA2RGB))

    def _source(self, x: Plane, y: Plane, pose: Pose) -> tuple[Plane, Plane]:
        """Return, for points of the frame in mm, the pixel of the drawing that is seen there."""
        canvas = self._canvas
        source_x, source_y = np.broadcast_arrays(x, y)
        for _ in range(2):  # the shift depends on the point that is moved: solve by iteration
            column = np.clip(((source_x - canvas.left) * canvas.scale).astype(int), 0, canvas.shape[1] - 1)
            row = np.clip(((source_y - canvas.top) * canvas.scale).astype(int), 0, canvas.shape[0] - 1)
            z = self._depth[row, column]
            firm = 1 - np.clip((source_y - 100) / 100, 0, 1)
            firm = firm * firm * (3 - 2 * firm)  # the shoulders stay
            up = source_y - _PIVOT_Y
            dx = firm * (pose.yaw * z - pose.roll * up + pose.x)
            dy = firm * (pose.pitch * z + pose.roll * source_x + pose.y)
            source_x, source_y = x - dx, y - dy
        return (
            ((source_x - canvas.left) * canvas.scale - 0.5).astype(np.float32),
            ((source_y - canvas.top) * canvas.scale - 0.5).astype(np.float32),
        )
