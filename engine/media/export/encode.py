"""Encode a stream of samples into a file of its own, ready to be copied beside a picture."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream

from engine.media.export.codecs import Encoding

Samples = npt.NDArray[np.float32]
"""Sound, shape ``(n, channels)``, full scale 1."""

_FRAME = 8192


def encode(pieces: Iterator[Samples], encoding: Encoding, target: Path) -> Iterator[Fraction]:
    """Write sound to a file.

    Args:
        pieces: contiguous sound, from the file's time zero on (encoder delay already cut from it).
        encoding: how.
        target: the file to write.

    Yields:
        Seconds written so far.

    Raises:
        OSError: if writing fails.
    """
    written = 0
    with av.open(str(target.absolute()), "w", format=encoding.format) as container:
        stream = container.add_stream(encoding.codec, rate=encoding.sample_rate, layout=encoding.layout)
        assert isinstance(stream, AudioStream)
        if encoding.sample_format is not None:
            stream.codec_context.format = encoding.sample_format
        if encoding.bit_rate is not None:
            stream.bit_rate = encoding.bit_rate
        stream.codec_context.time_base = Fraction(1, encoding.sample_rate)
        resampler = av.AudioResampler(stream.codec_context.format.name, encoding.layout, encoding.sample_rate)
        for piece in pieces:
            for begin in range(0, len(piece), _FRAME):
                part = piece[begin : begin + _FRAME]
                frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part.T), "fltp", encoding.layout)
                frame.sample_rate = encoding.sample_rate
                frame.time_base = Fraction(1, encoding.sample_rate)
                frame.pts = written
                written += len(part)
                for ready in resampler.resample(frame):
                    container.mux(stream.encode(ready))
            yield Fraction(written, encoding.sample_rate)
        container.mux(stream.encode(None))
