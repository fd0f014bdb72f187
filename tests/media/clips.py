"""Clips whose flashes and beeps are known to the sample, written with PyAV in any container and codec."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import cycle
from math import floor, lcm
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

FLASH_FRAMES = (12, 31, 57, 84, 125, 151, 188, 230, 259, 301)
"""Frames that flash white: irregular, so that no shift maps the pattern onto itself."""

BEEP_SECONDS = 0.03
NUMBER_BITS = 16
"""Width of the frame number that each picture carries along its lower edge."""


def beep(sample_rate: int) -> npt.NDArray[np.float32]:
    """Return a 30 ms chirp from 400 to 3400 Hz: its correlation peak is one sample wide even after a lossy codec."""
    time = np.arange(round(BEEP_SECONDS * sample_rate)) / sample_rate
    phase = 2 * np.pi * (400 * time + 0.5 * 3000 / BEEP_SECONDS * time**2)
    edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.001)
    return (0.5 * edge * np.cos(phase)).astype(np.float32)


def picture(number: int, width: int, height: int, *, flash: bool) -> npt.NDArray[np.uint8]:
    """Return one RGB picture: a moving grey ramp or white, above the frame's number in black and white blocks."""
    image = np.empty((height, width, 3), np.uint8)
    ramp = 40 + 60 * (1 + np.sin(np.arange(width) / width * 6 + number / 5)) / 2
    image[:] = 255 if flash else ramp.astype(np.uint8)[None, :, None]
    band = height - height // 4
    for bit in range(NUMBER_BITS):
        left, right = bit * width // NUMBER_BITS, (bit + 1) * width // NUMBER_BITS
        image[band:, left:right] = 235 if number >> bit & 1 else 16
    return image


def frame_number(image: npt.NDArray[np.uint8]) -> int:
    """Read back the number that :func:`picture` drew; ``image`` has shape ``(h, w)`` or ``(h, w, 3)``, upright."""
    grey = image if image.ndim == 2 else image.mean(axis=2)
    height, width = grey.shape
    row = grey[height - height // 8]
    centres = [(2 * bit + 1) * width // (2 * NUMBER_BITS) for bit in range(NUMBER_BITS)]
    return sum(1 << bit for bit, centre in enumerate(centres) if row[centre] > 125)


@dataclass(frozen=True)
class Clip(os.PathLike[str]):
    """A written clip and the truth about it; usable wherever a path is.

    Attributes:
        path: the file.
        frame_times: presentation time of every frame that was written, in seconds.
        flashes: presentation times of the white frames.
        beeps: when each beep's first sample sounds.
        sound_start: when the first sample sounds.
        sound_seconds: length of the sound.
    """

    path: Path
    frame_times: tuple[Fraction, ...] = ()
    flashes: tuple[Fraction, ...] = ()
    beeps: tuple[Fraction, ...] = ()
    sound_start: Fraction = Fraction(0)
    sound_seconds: Fraction = Fraction(0)

    def __fspath__(self) -> str:
        return str(self.path)


def make_clip(
    path: Path | str,
    *,
    seconds: float | Fraction = 4,
    rate: Fraction | int = Fraction(25),
    size: tuple[int, int] = (320, 180),
    codec: str | None = "libx264",
    audio_codec: str | None = "aac",
    sample_rate: int = 48_000,
    channels: int = 1,
    offset_ms: float = 0.0,
    bframes: int = 2,
    gop: int = 12,
    rotation: int = 0,
    frame_ticks: Sequence[int] | None = None,
    picture_start_ms: float = 0.0,
    sound_start_ms: float = 0.0,
    sound_seconds: float | Fraction | None = None,
    picture_gaps: Sequence[tuple[float, float]] = (),
    sound_gaps: Sequence[tuple[float, float]] = (),
    audio_languages: Sequence[str | None] = (None,),
    chapters: Sequence[tuple[float, float, str]] = (),
    metadata: Mapping[str, str] | None = None,
    hdr: bool = False,
    color: Mapping[str, int] | None = None,
    pixel_format: str | None = None,
    sample_format: str | None = None,
    noise: float = 0.0,
    format: str | None = None,  # noqa: A002 - PyAV's own name for it
    container_options: Mapping[str, str] | None = None,
    codec_options: Mapping[str, str] | None = None,
    audio_codec_options: Mapping[str, str] | None = None,
) -> Clip:
    """Write a clip in which each white frame and each beep begin together, plus ``offset_ms``.

    The n-th audio stream's beeps sound 10 ms later per n, so that a test can tell the streams apart.

    Args:
        path: where to; the suffix chooses the container unless ``format`` does.
        seconds: length of the picture (and of the sound).
        rate: frames per second of a constant-rate clip, and the unit of ``frame_ticks``.
        size: width and height as encoded (before ``rotation``).
        codec: video encoder, or ``None`` for sound only.
        audio_codec: audio encoder, or ``None`` for picture only.
        sample_rate: samples per second.
        channels: number of channels, all alike.
        offset_ms: how much later than its flash each beep begins; positive, sound late.
        bframes: most consecutive B frames (x264/x265 and MPEG codecs).
        gop: key-frame distance in frames.
        rotation: degrees clockwise that a player must turn the picture by; the picture is drawn so that it is
            upright *before* this turn.
        frame_ticks: durations of successive frames in units of ``1 / (4 * rate)``, repeated; makes the rate variable.
        picture_start_ms: presentation time of the first frame; may be negative.
        sound_start_ms: presentation time of the first sample; may be negative. Beeps stay with the flashes.
        sound_seconds: length of the sound when it is to differ.
        picture_gaps: ``(from, to)`` in seconds without frames.
        sound_gaps: ``(from, to)`` in seconds whose packets are left out.
        audio_languages: one entry per audio stream.
        chapters: ``(from, to, title)`` in seconds.
        metadata: container metadata.
        hdr: tag the picture as BT.2020 PQ.
        color: ``color_primaries``, ``color_trc``, ``colorspace``, ``color_range`` numbers.
        pixel_format: pixel format to encode.
        sample_format: sample format to encode.
        noise: level of white noise in the sound, full scale 1.
        format: container name.
        container_options: options of the muxer. MP4 and MOV get a movie timescale fine enough for exact edit lists
            unless it is given here.
        codec_options: options of the video encoder.
        audio_codec_options: options of the audio encoder.

    Returns:
        The clip and its true times, on the clock on which both streams were written.
    """
    target = Path(path)
    rate = Fraction(rate)
    picture_start = Fraction(picture_start_ms) / 1000
    sound_start = Fraction(floor(Fraction(sound_start_ms) * sample_rate / 1000 + Fraction(1, 2)), sample_rate)
    length = Fraction(seconds)
    time_base = 1 / (4 * rate) if frame_ticks else 1 / rate
    if picture_start % time_base:
        time_base = Fraction(1, 90_000)
    every_frame = list(_frames(length, rate, frame_ticks, picture_start, picture_gaps, time_base))
    anchors = [time for number, time in every_frame if number in FLASH_FRAMES]
    numbers_and_times = every_frame if codec else []
    muxer_options = dict(container_options or {})
    if target.suffix in {".mp4", ".mov", ".m4a"}:
        muxer_options.setdefault("movie_timescale", str(lcm(sample_rate, time_base.denominator)))
    sound_length = Fraction(sound_seconds) if sound_seconds is not None else length
    beeps: list[Fraction] = []

    with av.open(str(target), "w", format=format, container_options=muxer_options) as container:
        container.metadata.update(metadata or {})
        jobs = []
        if codec:
            video = _video_stream(container, codec, rate, time_base, size, bframes, gop, pixel_format, codec_options)
            tags = {"color_primaries": 9, "color_trc": 16, "colorspace": 9, "color_range": 1} if hdr else {}
            for name, value in {**tags, **(color or {})}.items():
                setattr(video.codec_context, name, value)
            if rotation:
                video.set_display_rotation(-rotation)
            jobs.append(_video_packets(video, numbers_and_times, size))
        if audio_codec:
            for number, language in enumerate(audio_languages):
                lateness = Fraction(offset_ms) / 1000 + Fraction(number, 100)
                audio = _audio_stream(container, audio_codec, sample_rate, channels, sample_format, audio_codec_options)
                if language:
                    audio.metadata["language"] = language
                total = floor(sound_length * sample_rate)
                starts = [floor((time + lateness - sound_start) * sample_rate + Fraction(1, 2)) for time in anchors]
                starts = [at for at in starts if at >= 0 and at + sample_rate * BEEP_SECONDS <= total]
                if number == 0:
                    beeps = [sound_start + Fraction(at, sample_rate) for at in starts]
                jobs.append(_audio_packets(audio, total, starts, sound_start, channels, noise, sound_gaps))
        if chapters:
            container.set_chapters(
                [
                    {
                        "id": index,
                        "start": round(begin * 1000),
                        "end": round(end * 1000),
                        "time_base": Fraction(1, 1000),
                        "metadata": {"title": title},
                    }
                    for index, (begin, end, title) in enumerate(chapters)
                ]
            )
        container.start_encoding()
        _interleave(container, jobs)

    in_gap = [any(begin <= beep_at < end for begin, end in sound_gaps) for beep_at in beeps]
    return Clip(
        path=target,
        frame_times=tuple(time for _, time in numbers_and_times),
        flashes=tuple(time for number, time in numbers_and_times if number in FLASH_FRAMES),
        beeps=tuple(at for at, lost in zip(beeps, in_gap, strict=True) if not lost),
        sound_start=sound_start,
        sound_seconds=sound_length if audio_codec else Fraction(0),
    )


def _frames(
    length: Fraction,
    rate: Fraction,
    ticks: Sequence[int] | None,
    start: Fraction,
    gaps: Sequence[tuple[float, float]],
    time_base: Fraction,
) -> Iterator[tuple[int, Fraction]]:
    """Yield ``(frame number, presentation time)``, the times in whole ticks."""
    number, elapsed = 0, Fraction(0)
    durations = cycle(Fraction(tick) / (4 * rate) for tick in ticks) if ticks else None
    while elapsed < length:
        time = start + elapsed
        if not any(begin <= time < end for begin, end in gaps):
            yield number, floor(time / time_base + Fraction(1, 2)) * time_base
        number += 1
        elapsed = elapsed + next(durations) if durations else number / rate


def _video_stream(container, codec, rate, time_base, size, bframes, gop, pixel_format, options):  # type: ignore[no-untyped-def]
    defaults = {"libx264": {"preset": "ultrafast", "crf": "23"}, "libx265": {"preset": "ultrafast"}}
    chosen = dict(defaults.get(codec, {}))
    if codec == "libx264":
        chosen["x264-params"] = f"bframes={bframes}:keyint={gop}:scenecut=0:b-adapt=0"
    if codec == "libx265":
        chosen["x265-params"] = f"bframes={bframes}:keyint={gop}:scenecut=0:log-level=none"
    if codec.startswith("libvpx"):
        chosen |= {"deadline": "realtime", "cpu-used": "8"}
    chosen |= dict(options or {})
    stream = container.add_stream(codec, rate=rate, options=chosen)
    stream.width, stream.height = size
    picked = {"mjpeg": "yuvj420p", "png": "rgb24", "gif": "rgb8"}
    stream.pix_fmt = pixel_format or picked.get(codec, "yuv420p")
    stream.gop_size = gop
    if codec in {"mpeg4", "mpeg2video"}:
        stream.codec_context.max_b_frames = bframes
    if codec.startswith("libvpx") or codec in {"mpeg4", "mpeg2video", "flv1", "mjpeg"}:
        stream.bit_rate = 1_500_000
    stream.codec_context.time_base = time_base
    # Small pictures gain nothing from threads, and on a busy machine each waits for the others.
    stream.thread_count = 1
    return stream


def _audio_stream(container, codec, sample_rate, channels, sample_format, options):  # type: ignore[no-untyped-def]
    layout = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(channels, f"{channels}c")
    stream = container.add_stream(codec, rate=sample_rate, layout=layout, options=dict(options or {}))
    if sample_format:
        stream.codec_context.format = sample_format
    if codec != "flac" and not codec.startswith("pcm"):
        stream.bit_rate = 96_000 * max(1, channels // 2)
    stream.codec_context.time_base = Fraction(1, sample_rate)
    return stream


def _video_packets(stream, numbers_and_times, size):  # type: ignore[no-untyped-def]
    """Yield ``(decode time, packet)``."""
    time_base = stream.codec_context.time_base
    for number, time in numbers_and_times:
        image = picture(number, *size, flash=number in FLASH_FRAMES)
        frame = av.VideoFrame.from_ndarray(image, "rgb24")
        frame.time_base = time_base
        frame.pts = floor(time / time_base + Fraction(1, 2))
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _audio_packets(stream, total, starts, start, channels, noise, gaps):  # type: ignore[no-untyped-def]
    sample_rate = stream.codec_context.sample_rate
    chirp = beep(sample_rate)
    generator = np.random.default_rng(7)
    block = sample_rate // 10
    layout = stream.codec_context.layout.name
    for begin in range(0, total, block):
        count = min(block, total - begin)
        sound = generator.standard_normal(count).astype(np.float32) * noise
        for at in starts:
            low, high = max(begin, at), min(begin + count, at + len(chirp))
            if low < high:
                sound[low - begin : high - begin] += chirp[low - at : high - at]
        frame = av.AudioFrame.from_ndarray(np.repeat(sound, channels)[None], "flt", layout)
        frame.sample_rate = sample_rate
        frame.time_base = Fraction(1, sample_rate)
        frame.pts = floor(start * sample_rate) + begin
        yield from _outside(stream.encode(frame), gaps)
    yield from _outside(stream.encode(None), gaps)


def _outside(packets, gaps):  # type: ignore[no-untyped-def]
    for packet in packets:
        time = (packet.pts or 0) * packet.time_base
        if not any(begin <= time < end for begin, end in gaps):
            yield packet


def _interleave(container, jobs):  # type: ignore[no-untyped-def]
    """Write the packets of all streams in the order of their decode times."""
    heads = [(job, next(job, None)) for job in jobs]
    heads = [(job, packet) for job, packet in heads if packet is not None]
    while heads:
        at = min(range(len(heads)), key=lambda n: _time(heads[n][1]))
        job, packet = heads[at]
        container.mux(packet)
        following = next(job, None)
        if following is None:
            heads.pop(at)
        else:
            heads[at] = (job, following)


def _time(packet) -> Fraction:  # type: ignore[no-untyped-def]
    ticks = packet.dts if packet.dts is not None else packet.pts or 0
    return ticks * packet.time_base
