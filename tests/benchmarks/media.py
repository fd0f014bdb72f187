"""The media room: pictures, seeks, sound and peaks, each beside plain decoding of the same file in the same run.

Throughput is counted in processor time, which a busy machine does not change; latency in time on the wall.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from scipy.ndimage import gaussian_filter

from engine.jobs import run
from engine.media.frames import FrameReader, read_frames
from engine.media.peaks import build_peaks
from engine.media.probe import probe
from engine.media.samples import read_samples
from tests.benchmarks.table import show

FILM_SECONDS = 20
GOP = 250
TALK_HOURS = 3


def make_film(path: Path) -> None:
    """Write 20 s of 1080p25 at about 8 Mbit/s in 10 s groups of pictures: a texture that drifts, with grain."""
    generator = np.random.default_rng(0)
    texture = gaussian_filter(generator.standard_normal((1200, 2100, 3)), (3, 3, 0))
    texture = np.clip(128 + texture / texture.std() * 45, 0, 255).astype(np.uint8)
    grain = generator.integers(0, 14, (8, 1080, 1920, 1), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "21"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        stream.gop_size = GOP
        stream.options["x264-params"] = f"keyint={GOP}:scenecut=0"
        for number in range(FILM_SECONDS * 25):
            x, y = number % 180, number // 2 % 120
            image = np.clip(texture[y : y + 1080, x : x + 1920], 0, 240) + grain[number % 8]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def make_talk(path: Path) -> None:
    """Write three hours of 48 kHz AAC: one encoded minute, its packets repeated."""
    generator = np.random.default_rng(1)
    rate = 48_000
    loudness = np.abs(np.sin(np.arange(60 * rate) / 9000)) * 0.2
    sound = (generator.standard_normal(60 * rate) * loudness).astype(np.float32)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono", bit_rate=96_000)
        packets = []
        for second in range(60):
            frame = av.AudioFrame.from_ndarray(sound[None, second * rate : (second + 1) * rate], "flt", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, second * rate, Fraction(1, rate)
            packets += [(bytes(packet), packet.duration or 1024) for packet in stream.encode(frame)]
        at = -1024
        while at < TALK_HOURS * 3600 * rate:
            for data, duration in packets:
                packet = av.Packet(data)
                packet.pts = packet.dts = at
                packet.duration, packet.time_base, packet.stream = duration, Fraction(1, rate), stream
                container.mux(packet)
                at += 1024


def processor(work: Callable[[], object]) -> float:
    """Return the processor seconds that ``work`` takes, all threads together."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def latency(work: Callable[[], object]) -> float:
    """Return the seconds until ``work`` is done."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def plain_decode(path: Path, kind: str) -> int:
    """Decode everything with PyAV and do nothing with it; return the number of frames."""
    with av.open(str(path)) as container:
        stream = container.streams.get({kind: 0})[0]
        stream.thread_type = "AUTO"
        return sum(1 for _ in container.decode(stream))


def picture_rows(film: Path) -> Iterator[tuple[str, str, str]]:
    """What conversion costs on top of decoding."""
    frames = FILM_SECONDS * 25
    baseline = processor(lambda: plain_decode(film, "video"))
    yield "plain decode (baseline)", f"{baseline / frames * 1000:.2f} ms per frame", "1.00"
    for label, how in {
        "RGB, 1080 lines": {},
        "RGB, 720 lines": {"max_height": 720},
        "RGB, 480 lines": {"max_height": 480},
        "RGB, 360 lines": {"max_height": 360},
        "grey, 360 lines": {"max_height": 360, "pixel_format": "gray"},
    }.items():
        extra = processor(lambda how=how: sum(1 for _ in read_frames(film, **how))) - baseline
        yield f"conversion to {label}", f"{extra / frames * 1000:.2f} ms per frame", f"{extra / baseline:.2f}"


def seek_rows(film: Path) -> Iterator[tuple[str, str, str]]:
    """Time to a random frame, to the next and to the one before."""
    generator = random.Random(2)
    targets = [Fraction(generator.randrange(FILM_SECONDS * 25), 25) for _ in range(25)]
    plain = []
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        for target in targets:
            begin = time.perf_counter()
            container.seek(int(target / stream.time_base), stream=stream)
            next(frame for frame in container.decode(stream) if frame.pts * stream.time_base >= target)
            plain.append(time.perf_counter() - begin)
    baseline = statistics.median(plain)
    yield "random seek with PyAV, unconverted (baseline)", f"{baseline * 1000:.0f} ms", "1.00"
    with FrameReader(film, max_height=480) as reader:
        for label, moves in {
            "random seek": targets,
            "next frame": [Fraction(300 + n, 25) for n in range(60)],
            "frame before": [Fraction(359 - n, 25) for n in range(15)],
        }.items():
            middle = statistics.median(latency(lambda at=at: reader.frame_at(at)) for at in moves)
            yield f"FrameReader, {label}", f"{middle * 1000:.1f} ms", f"{middle / baseline:.2f}"


def sound_rows(talk: Path) -> Iterator[tuple[str, str, str]]:
    """How many times faster than real time."""
    length = TALK_HOURS * 3600
    baseline = processor(lambda: plain_decode(talk, "audio"))
    yield "plain decode (baseline)", f"{length / baseline:.0f} x real time", "1.00"
    for label, work in {
        "build_peaks": lambda: run(build_peaks(talk)),
        "build_peaks, cached": lambda: run(build_peaks(talk)),
        "read_samples, 48 kHz": lambda: sum(len(block.data) for block in read_samples(talk, sample_rate=None)),
        "read_samples, 16 kHz": lambda: sum(len(block.data) for block in read_samples(talk)),
        "probe": lambda: probe(talk),
        "probe(full=True)": lambda: probe(talk, full=True),
    }.items():
        seconds = processor(work)
        yield label, f"{length / seconds:.0f} x real time ({seconds:.2f} s)", f"{seconds / baseline:.2f}"


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLOSIVE_CACHE"] = folder
        film, talk = Path(folder) / "film.mp4", Path(folder) / "talk.m4a"
        make_film(film)
        show("Pictures: 1080p H.264, processor time", ("", "cost", "of decoding"), list(picture_rows(film)))
        show("Seeks in 10 s groups of pictures", ("", "median latency", "of baseline"), list(seek_rows(film)))
        make_talk(talk)
        show("Sound: 3 h of 48 kHz AAC, processor time", ("", "speed", "cost of decoding"), list(sound_rows(talk)))


if __name__ == "__main__":
    main()
