"""The two MediaPipe models behind one quiet door: find faces in a picture, and mesh one face in a crop."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

MESH_CROP = 384
"""Largest side of the crop given to the mesh. Its network sees 192x192 pixels of the face and samples them without
low-pass filtering, so a face much larger than that must be reduced (with area averaging) before."""


@contextmanager
def _native_chatter_silenced() -> Iterator[None]:
    """Send the process's stderr to nowhere while native code starts: its log lines cannot be switched off otherwise."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all (a window process on Windows)
        yield
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


class FaceFinder:
    """Finds faces anywhere in a picture: whole picture first, then overlapping tiles for small ones."""

    def __init__(self) -> None:
        with _native_chatter_silenced():
            from mediapipe.python.solutions.face_detection import FaceDetection

            # 1: the full-range model (faces up to 5 m away); 0: the short-range one, better for very large faces.
            self._far: Any = FaceDetection(model_selection=1, min_detection_confidence=0.5)
            self._near: Any = FaceDetection(model_selection=0, min_detection_confidence=0.5)
            self._far.process(np.zeros((64, 64, 3), np.uint8))
            self._near.process(np.zeros((64, 64, 3), np.uint8))

    def close(self) -> None:
        """Free the native graphs."""
        self._far.close()
        self._near.close()

    def find(self, image: Image, *, tiles: bool = True) -> list[npt.NDArray[np.float32]]:
        """Return face boxes ``(x0, y0, x1, y1)`` in pixels, best first.

        Args:
            image: RGB, shape ``(h, w, 3)``.
            tiles: also look into overlapping tiles when the whole picture shows no face: the network sees 192
                pixels, in which a small face of a large picture vanishes.
        """
        boxes = self._in(self._far, image, 0, 0) or self._in(self._near, image, 0, 0)
        height, width = image.shape[:2]
        if boxes or not tiles or min(height, width) < 200:
            return _without_overlaps(boxes)
        side = max(min(height, width) * 5 // 8, 160)
        for top in _tile_starts(height, side):
            for left in _tile_starts(width, side):
                boxes += self._in(self._far, image[top : top + side, left : left + side], left, top)
        return _without_overlaps(boxes)

    def _in(self, model: Any, image: Image, left: int, top: int) -> list[tuple[float, npt.NDArray[np.float32]]]:
        height, width = image.shape[:2]
        found = model.process(np.ascontiguousarray(image)).detections or []
        boxes = []
        for detection in found:
            box = detection.location_data.relative_bounding_box
            x, y = box.xmin * width + left, box.ymin * height + top
            corners = np.array([x, y, x + box.width * width, y + box.height * height], np.float32)
            boxes.append((float(detection.score[0]), corners))
        return boxes


def _tile_starts(length: int, side: int) -> list[int]:
    """Return where tiles begin so that neighbours overlap by at least a third and the last ends at the edge."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * 2 / 3))) + 1
    return [round(start) for start in np.linspace(0, length - side, count)]


def _without_overlaps(scored: list[tuple[float, npt.NDArray[np.float32]]]) -> list[npt.NDArray[np.float32]]:
    kept: list[npt.NDArray[np.float32]] = []
    for _, box in sorted(scored, key=lambda item: -item[0]):
        if all(overlap(box, other) < 0.3 for other in kept):
            kept.append(box)
    return kept


def overlap(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float:
    """Return intersection over union of two boxes ``(x0, y0, x1, y1)``."""
    size = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    if (size <= 0).any():
        return 0.0
    shared = float(size.prod())
    return shared / float((first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod() - shared)


@dataclass(frozen=True, slots=True)
class CropMesh:
    """A mesh together with the crop it was found in.

    Attributes:
        points: landmarks in pixels of the crop, z in the same unit, shape ``(478, 3)``.
        crop: RGB, square, at most :data:`MESH_CROP` wide.
        left: picture column of the crop's left edge.
        top: picture row of the crop's upper edge.
        zoom: picture pixels per crop pixel.
    """

    points: npt.NDArray[np.float32]
    crop: Image
    left: int
    top: int
    zoom: float

    def in_picture(self) -> npt.NDArray[np.float32]:
        """Return the landmarks in pixels of the whole picture, shape ``(478, 3)``."""
        return self.points * np.float32(self.zoom) + np.array([self.left, self.top, 0], np.float32)

    def box(self) -> npt.NDArray[np.float32]:
        """Return the box around the landmarks in pixels of the whole picture, ``x0, y0, x1, y1``."""
        points = self.in_picture()[:, :2]
        return np.concatenate([points.min(0), points.max(0)])


class Mesh:
    """MediaPipe's face mesh following one face in a crop.

    The network's own tracking carries over from frame to frame, so one instance belongs to one face of one shot;
    :meth:`restart` before giving it another.
    """

    def __init__(self) -> None:
        with _native_chatter_silenced():
            from mediapipe.python.solutions.face_mesh import FaceMesh

            self._graph: Any = FaceMesh(
                static_image_mode=False,
                max_num_faces=1,
                refine_landmarks=True,  # the attention model: markedly better lips
                min_detection_confidence=0.4,
                min_tracking_confidence=0.5,
            )
            self._settle()
        self._crop: tuple[int, int, int] | None = None
        self._talkative = True  # a fresh graph writes native warnings until it has met its first face

    def close(self) -> None:
        """Free the native graph."""
        self._graph.close()

    def _settle(self) -> None:
        """Wait until the graph's threads have started, and have said what they say when they do."""
        self._graph.process(np.zeros((64, 64, 3), np.uint8))

    def restart(self) -> None:
        """Forget the face followed so far."""
        if self._crop is not None:
            with _native_chatter_silenced():
                self._graph.reset()
                self._settle()
            self._talkative = True
        self._crop = None

    def follow(self, image: Image, box: npt.NDArray[np.float32]) -> CropMesh | None:
        """Return the mesh of the face near ``box``, or ``None`` if it is not there.

        Args:
            image: RGB, shape ``(h, w, 3)``.
            box: where the face was last, ``(x0, y0, x1, y1)`` in pixels.
        """
        left, top, side = self._crop_for(box)
        crop = cut_square(image, left, top, side)
        if side > MESH_CROP:
            crop = np.asarray(cv2.resize(crop, (MESH_CROP, MESH_CROP), interpolation=cv2.INTER_AREA), np.uint8)
        crop.flags.writeable = False  # lets the graph take the picture without a copy
        with _native_chatter_silenced() if self._talkative else nullcontext():
            found = self._graph.process(crop).multi_face_landmarks
        if not found:
            return None
        self._talkative = False
        points = np.array([(point.x, point.y, point.z) for point in found[0].landmark], np.float32)
        return CropMesh(points * len(crop), crop, left, top, side / len(crop))

    def _crop_for(self, box: npt.NDArray[np.float32]) -> tuple[int, int, int]:
        """Return the square crop, kept until the face has moved or grown noticeably.

        A crop that moved with every frame would shake the graph's tracking, which lives in crop coordinates.
        """
        width = float(max(box[2] - box[0], box[3] - box[1], 8.0))
        centre_x, centre_y = float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
        if self._crop is not None:
            left, top, side = self._crop
            moved = max(abs(left + side / 2 - centre_x), abs(top + side / 2 - centre_y))
            if moved < 0.12 * side and 0.8 < side / (2 * width) < 1.25:
                return self._crop
        side = max(32, round(2 * width))
        self._crop = (round(centre_x - side / 2), round(centre_y - side / 2), side)
        return self._crop


def cut_square(image: Image, left: int, top: int, side: int) -> Image:
    """Return a square cut-out, repeating the border where it reaches outside, shape ``(side, side, 3)``."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    if x0 >= x1 or y0 >= y1:
        return np.zeros((side, side, 3), np.uint8)
    inside = image[y0:y1, x0:x1]
    margins = (y0 - top, top + side - y1, x0 - left, left + side - x1)
    if any(margins):
        return np.asarray(cv2.copyMakeBorder(inside, *margins, borderType=cv2.BORDER_REPLICATE))
    return np.ascontiguousarray(inside)
