"""Decode source and target again, and find out how far sound and picture were moved against each other.

Nothing of what the export did is used: the picture is recognised by its decoded frames at the beginning and by its
packets further on, the sound by cross-correlation of its samples.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from engine.media.decoding import decode, packets, pick_video, read_only
from engine.media.export.report import Check
from engine.media.frames import read_frames
from engine.media.opening import open_media
from engine.media.samples import read_samples
from engine.refusal import Refused

_FRAMES = 12
_PICTURE_SECONDS = Fraction(2)
_MOST_PACKETS = 600
_WINDOW = Fraction(3, 2)
_MARGIN = Fraction(3, 10)
_WIDE_MARGIN = Fraction(5)
_LEAST_WINDOW = Fraction(1, 5)
_LEAST_LEVEL = 1e-5

COPIED, ENCODED, STRETCHED = 0.9, 0.7, 0.5
"""Least likeness of sound that was copied (a decoder may fill in noise of its own), encoded again, or stretched."""

_PLACES = (Fraction(1, 50), Fraction(1, 3), Fraction(2, 3), Fraction(13, 14))
_AWAY = Fraction(3, 5)
_MOST_PARTS = 8
_ATTEMPTS = 4
_HEARD_SECONDS = Fraction(3)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared.

    Attributes:
        source: the clip.
        sound: the file whose sound it was given.
        stream: the audio stream of ``sound``.
        target: what was written.
        start: of the sound, in seconds on its clock.
        stop: of the sound.
        asked: seconds by which a moment of the sound was to be moved.
        factor: how much slower the sound was made.
        avoid: moments not to look at.
        likeness: how like the source the target's sound has to be, at least, to be recognised (1 is the same).
        is_local: whether short stretches are compared one by one, because single moments may be off their place.
    """

    source: Path
    sound: Path
    stream: int
    target: Path
    start: Fraction
    stop: Fraction
    asked: Callable[[Fraction], Fraction]
    factor: Fraction = Fraction(1)
    avoid: tuple[Fraction, ...] = ()
    likeness: float = COPIED
    is_local: bool = False


def compare(comparison: Comparison) -> Iterator[Check]:
    """Yield the checks that could be made, from the beginning to the end of the sound.

    The sound is looked for near the place asked for; only if it is nowhere there, further away.

    Raises:
        Refused: if one of the files cannot be read.
    """
    beginning = _picture_moved_at_beginning(comparison.source, comparison.target)
    if beginning is None:
        return
    windows = _windows(comparison)
    pictures = _pictures_moved(comparison, [start for start, _ in windows], beginning)
    found = False
    for margin in (_MARGIN, _WIDE_MARGIN):
        for (start, length), moved in zip(windows, pictures, strict=True):
            check = _sound_moved_at(comparison, start, length, moved, margin)
            if check is not None:
                found = True
                yield check
        if found:
            return


def _pictures_moved(comparison: Comparison, starts: list[Fraction], beginning: Fraction) -> list[Fraction]:
    """Return by how much the picture is later at each of some moments; between two that agree it is not looked at."""

    def at(start: Fraction) -> Fraction:
        if start - comparison.start <= 2 * _PICTURE_SECONDS:
            return beginning
        later = _picture_moved_at(comparison.source, comparison.target, start, beginning)
        return beginning if later is None else later

    if not starts or at(starts[-1]) == beginning:
        return [beginning] * len(starts)
    return [at(start) for start in starts]


def _windows(comparison: Comparison) -> list[tuple[Fraction, Fraction]]:
    """Return ``(start, length)`` of the windows: spread over the sound, or one between any two moments to avoid."""
    if comparison.avoid:
        edges = [comparison.start, *comparison.avoid, comparison.stop]
        parts = [(a + _AWAY, b - _AWAY) for a, b in pairwise(edges)]
        parts = [(start, stop) for start, stop in parts if stop - start >= 2 * _LEAST_WINDOW]
        step = max(1, -(-len(parts) // _MOST_PARTS))
        lengths = [min(_WINDOW, stop - start) for start, stop in parts]
        return [((a + b - length) / 2, length) for (a, b), length in zip(parts, lengths, strict=True)][::step]
    whole = comparison.stop - comparison.start
    length = min(_WINDOW, whole / 3)
    windows: list[tuple[Fraction, Fraction]] = []
    for share in _PLACES:
        start = comparison.start + share * whole
        cut = -comparison.asked(start) - (start - comparison.start)
        if cut > 0:
            start += cut + _MARGIN
        start = max(comparison.start, min(start, comparison.stop - length - _MARGIN / 3))
        if length >= _LEAST_WINDOW and all(start != other for other, _ in windows):
            windows.append((start, length))
    return windows


def _picture_moved_at_beginning(source: Path, target: Path) -> Fraction | None:
    """Return by how many seconds the first pictures are on a later clock in the target, ``None`` if not recognised."""
    before, after = _first_frames(source), _first_frames(target)
    best: tuple[int, int] | None = None
    for lag in sorted(range(-len(before) + 1, len(after)), key=abs):
        pairs = [(n, n + lag) for n in range(len(before)) if 0 <= n + lag < len(after)]
        same = sum(before[n][1] == after[m][1] for n, m in pairs)
        if best is None or same > best[0]:
            best = same, lag
    if best is None or not best[0]:
        return None
    lag = best[1]
    times = [
        after[n + lag][0] - time
        for n, (time, image) in enumerate(before)
        if 0 <= n + lag < len(after) and after[n + lag][1] == image
    ]
    return times[0] if lag == 0 and before[0][1] == after[0][1] else statistics.median_low(times)


def _first_frames(path: Path) -> list[tuple[Fraction, bytes]]:
    frames = islice(read_frames(path, pixel_format="gray", threading="slice"), _FRAMES)
    return [(frame.time.seconds, _digest(frame.image.tobytes())) for frame in frames]


def _digest(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _picture_moved_at(source: Path, target: Path, place: Fraction, near: Fraction) -> Fraction | None:
    """Return the same further on, from packets that are alike, ``None`` if there are none."""
    before = dict(_packet_times(source, place))
    after = dict(_packet_times(target, place + near))
    moved = [after[key] - time for key, time in before.items() if key in after]
    return statistics.median_low(moved) if len(moved) >= _FRAMES else None


def _packet_times(path: Path, place: Fraction) -> Iterator[tuple[bytes, Fraction]]:
    """Yield ``(digest, presentation time)`` of the picture's packets around a moment."""
    with open_media(path) as container:
        stream = pick_video(container, None, path)
        read_only(container, stream)
        time_base = stream.time_base or Fraction(1, 90_000)
        try:
            container.seek(int((place - 1) / time_base), stream=stream)
        except av.error.FFmpegError:
            return
        for packet in islice(packets(container, path, stream), _MOST_PACKETS):
            if packet.pts is None:
                continue
            time = packet.pts * time_base
            yield _digest(bytes(packet)), time
            if time > place + _PICTURE_SECONDS:
                return


def _sound_moved_at(
    comparison: Comparison, place: Fraction, length: Fraction, moved: Fraction, margin: Fraction
) -> Check | None:
    """Compare one window; where it is silent, look further on a few times."""
    end = min((moment for moment in comparison.avoid if moment > place), default=comparison.stop)
    for attempt in range(_ATTEMPTS):
        start = place + attempt * length
        if start + length > end:
            return None
        got = _lag(comparison, start, length, moved, margin)
        if got is not None:
            middle = start + length / 2
            return Check(float(middle), float(comparison.asked(middle) * 1000), float((got - moved) * 1000))
    return None


def _lag(
    comparison: Comparison, start: Fraction, window: Fraction, moved: Fraction, margin: Fraction
) -> Fraction | None:
    """Return by how much later the target's sound is on its own clock, ``None`` where it cannot be told.

    It is looked for up to ``margin`` seconds from the place asked for.
    """
    source = _mono(comparison.sound, comparison.stream, start, start + window, None)
    if source is None:
        return None
    begin, rate, wanted = source
    middle = begin + Fraction(len(wanted), 2 * rate)
    shift = comparison.asked(middle) + moved
    target = _mono(comparison.target, None, start + shift - margin, start + window + shift + margin, rate)
    if target is None:
        return None
    offset, _, field = target
    if comparison.is_local:
        return _median_lag(wanted, field, begin, offset, rate, comparison.likeness)
    slowed = _slowed(wanted, comparison.factor)
    found = _find(slowed, field, comparison.likeness)
    # Slowed or not, the middle of the window is where its shift is the one asked for.
    return None if found is None else offset + Fraction(found) / rate + Fraction(len(slowed), 2 * rate) - middle


def _median_lag(
    wanted: npt.NDArray[np.float64],
    field: npt.NDArray[np.float64],
    begin: Fraction,
    offset: Fraction,
    rate: int,
    least: float,
) -> Fraction | None:
    """Return the median lag of short stretches: each may be off its place by a period of the voice."""
    length = rate // 10
    lags = []
    for first in range(0, len(wanted) - length + 1, length // 2):
        found = _find(wanted[first : first + length], field, least)
        if found is not None:
            lags.append(offset + Fraction(found) / rate - begin - Fraction(first, rate))
    return statistics.median(lags) if lags else None


def _mono(
    path: Path, stream: int | None, start: Fraction, stop: Fraction, rate: int | None
) -> tuple[Fraction, int, npt.NDArray[np.float64]] | None:
    """Return ``(time of the first sample, sample rate, sound)`` of a window, ``None`` if it holds none."""
    try:
        blocks = list(read_samples(path, stream=stream, sample_rate=rate, start=start, stop=stop))
    except Refused:
        return None
    if not blocks:
        return None
    return blocks[0].start, blocks[0].sample_rate, np.concatenate([block.data for block in blocks]).astype(np.float64)


def _slowed(sound: npt.NDArray[np.float64], factor: Fraction) -> npt.NDArray[np.float64]:
    """Return a window as it sounds ``factor`` times slower."""
    if factor == 1:
        return sound
    count = int(len(sound) * factor)
    return np.interp(np.arange(count) / float(factor), np.arange(len(sound)), sound)


def _find(pattern: npt.NDArray[np.float64], field: npt.NDArray[np.float64], least: float) -> float | None:
    """Return where in ``field`` the pattern begins, in samples; ``None`` if it is silent or not there."""
    count = len(field) - len(pattern) + 1
    power = float(np.dot(pattern, pattern))
    if count < 3 or power / max(1, len(pattern)) < _LEAST_LEVEL**2:
        return None
    size = 1 << (len(field) + len(pattern) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(field, size) * np.conj(np.fft.rfft(pattern, size)), size)[:count]
    sums = np.concatenate(([0.0], np.cumsum(field**2)))
    energy = np.maximum(sums[len(pattern) :] - sums[: -len(pattern)], power * 1e-6)
    likeness = products / np.sqrt(energy * power)
    peak = int(np.argmax(likeness))
    if likeness[peak] < least:
        return None
    if not 0 < peak < count - 1:
        return float(peak)
    left, middle, right = likeness[peak - 1 : peak + 2]
    bend = left - 2 * middle + right
    return peak + (0.5 * (left - right) / bend if bend < 0 else 0.0)


def moved_without_edit_lists(target: Path, stream: int) -> Fraction | None:
    """Return by how much later the sound of an MP4 or MOV is for readers that ignore edit lists, in seconds.

    Args:
        target: the file.
        stream: its audio stream.

    Returns:
        The difference to what the edit lists ask for, or ``None`` if it cannot be told.
    """
    reading = _without_edit_lists(target, stream)
    honest = _first_frames(target)
    heard = _mono(target, stream, Fraction(0), _HEARD_SECONDS, None)
    if reading is None or not honest or heard is None:
        return None
    first_frame, offset, field = reading
    begin, rate, sound = heard
    length = len(sound) // 3
    for start in (length, 0):
        found = _find(sound[start : start + length], field, COPIED)
        if found is not None:
            later = offset + Fraction(found) / rate - begin - Fraction(start, rate)
            return later - (first_frame - honest[0][0])
    return None


def _without_edit_lists(path: Path, stream: int) -> tuple[Fraction, Fraction, npt.NDArray[np.float64]] | None:
    """Return ``(first frame, first sample, sound)`` of the beginning as if there were no edit lists."""
    options = {"ignore_editlist": "1", "protocol_whitelist": "file"}
    with av.open(f"file:{path.absolute()}", options=options, metadata_errors="replace") as container:
        video, audio = container.streams.video[0], container.streams[stream]
        resampler = av.AudioResampler("fltp", "mono")
        first_frame: Fraction | None = None
        first_sample: Fraction | None = None
        parts: list[npt.NDArray[np.float64]] = []
        for packet in packets(container, path, video, audio):
            if packet.stream is video and first_frame is not None:
                continue
            for frame in decode(packet.stream, packet):
                if isinstance(frame, av.VideoFrame):
                    first_frame = _time(frame) if first_frame is None else first_frame
                elif isinstance(frame, av.AudioFrame):
                    first_sample = _time(frame) if first_sample is None else first_sample
                    parts += [part.to_ndarray()[0].astype(np.float64) for part in resampler.resample(frame)]
            if first_frame is not None and sum(map(len, parts)) > 4 * _HEARD_SECONDS * 48_000:
                break
    if first_frame is None or first_sample is None or not parts:
        return None
    return first_frame, first_sample, np.concatenate(parts)


def _time(frame: av.VideoFrame | av.AudioFrame) -> Fraction | None:
    return None if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
