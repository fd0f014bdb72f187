"""The pictures of one segment as H.264 in a file of its own, the same bytes for the same pictures."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
from av.video.reformatter import Colorspace, VideoReformatter

from engine.generation.backend import Picture

_BT709 = 1
_LIMITED = 1
_THREADS = 4
"""Fixed, whatever the machine: with other numbers of threads the encoder makes other, equally good, decisions."""
_OPTIONS = {
    "preset": "veryfast",
    # Without pictures that refer to later ones, presentation and decoding order agree: segments are joined by copying
    # packets, and no edit list has to hide a delay from players.
    "bf": "0",
}
_KEY_SECONDS = 2
_WITHOUT_AVX512 = "asm=avx2,fma3,lzcnt,bmi1,bmi2"
"""What x264 uses on any processor with AVX-512, but for that."""
_AVX512F = 13
"""``cv::CpuFeatures``; the Python package has no name for it."""


@cache
def _options() -> dict[str, str]:
    """Return the encoder's options, which decide every byte.

    With AVX-512, x264 (core 165, on an EPYC of 2024) sometimes writes the last blocks of flat pictures in other words:
    of 150 000 small files, about 140 had other bytes, in bursts, and decoded to equal pictures. Without, none of
    130 000 had, and all other instruction sets gave the same bytes as each other, for a twentieth more time.
    """
    # Only where it is true: x264 takes the list for granted, and would crash on a processor that lacks any of it.
    return _OPTIONS | ({"x264-params": _WITHOUT_AVX512} if cv2.checkHardwareSupport(_AVX512F) else {})


class SegmentWriter:
    """Encodes pictures into a file; a context manager.

    Args:
        path: the file.
        size: width and height.
        fps: pictures per second.
        crf: quality, see :class:`~engine.generation.spec.RenderSpec`.

    Raises:
        OSError: if the disk is full.
    """

    def __init__(self, path: Path, size: tuple[int, int], fps: Fraction, crf: int) -> None:
        self._container = av.open(f"file:{path.absolute()}", "w", format="mp4", options={"fflags": "+bitexact"})
        self._stream = self._container.add_stream("libx264", rate=fps, options={**_options(), "crf": str(crf)})
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = 1 / fps
        context.gop_size = math.ceil(_KEY_SECONDS * fps)
        context.thread_count = _THREADS
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED
        self._reformatter = VideoReformatter()
        self._tick = 1 / fps
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def write(self, picture: Picture) -> None:
        """Append a picture."""
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(picture, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=_LIMITED,
        )
        frame.pts, frame.time_base = self.count, self._tick
        self._container.mux(self._stream.encode(frame))
        self.count += 1
