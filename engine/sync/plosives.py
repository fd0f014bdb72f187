"""Plosives: the burst of p, t, k, b in the sound and the parting of the lips in the picture, matched one to one.

For p and b the eye and the ear are told the same instant, so their pairs show a person where sound and picture belong
together, and their median is a check of the zero that does not depend on any trained model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from engine.sync.result import MouthTrace, PlosivePair
from engine.timing import Offset

Floats = npt.NDArray[np.float32]

MATCH_MS = 60.0
"""A burst belongs to a parting of the lips when it is within this distance of where the offset puts it."""

_STEP_MS = 1
_FRAME_MS = 4
_BANDS_HZ = ((1000.0, 2500.0), (2500.0, 4500.0), (4500.0, 7800.0))
_CLOSURE_MS = 30
_GAP_MS = 5  # the edge itself belongs neither to the closure nor to the burst
_BURST_MS = 6
_LEAST_RISE_DB = 12.0
_APART_MS = 40
_BLOCK_FRAMES = 8192
_FLOOR = 1e-14
_GROWTH = 1.2
"""Lips part at speed and still gain some: the gap grows about with this power of the time since they parted, which is
what a minimum-jerk opening does that is cut by contact at a fifth of its way."""


class Place(StrEnum):
    """Where the mouth was closed, guessed from the burst's spectrum."""

    LABIAL = "labial"
    ALVEOLAR = "alveolar"
    VELAR = "velar"


@dataclass(frozen=True, slots=True)
class Burst:
    """A sudden sound of many frequencies after a closure.

    Attributes:
        time: seconds; when the sound breaks out.
        rise_db: how much louder the burst is than the closure before it, above 1 kHz.
        place: p and b are labial, t and d alveolar, k and g velar; a guess (about two in three are right).
    """

    time: float
    rise_db: float
    place: Place


@dataclass(frozen=True, slots=True)
class Parting:
    """Lips that were shut begin to open.

    Attributes:
        time: seconds, between frames.
        opened: how far they opened within the next tenth of a second, in units of the trace.
    """

    time: float
    opened: float


def find_bursts(samples: Floats, sample_rate: int = 16_000, *, start: float = 0.0) -> tuple[Burst, ...]:
    """Find closures that end in a burst: 30 ms without high frequencies, then a rise in all of them within 5 ms.

    Only sound above 1 kHz is looked at, so that the voice that goes on during a b, d or g does not hide its closure.

    Args:
        samples: mono sound, shape ``(n,)``.
        sample_rate: samples per second, at least 8000.
        start: time of the first sample in seconds.

    Returns:
        Bursts in order of time, exact to about a millisecond.
    """
    levels = _levels_db(samples, sample_rate)
    count = levels.shape[1]
    lead = _CLOSURE_MS + _GAP_MS
    if count < lead + _BURST_MS:
        return ()
    loudness = levels.max(axis=0)
    windows = np.lib.stride_tricks.sliding_window_view
    # Frame f's closure is [f - 35, f - 5) and its burst [f, f + 6), in milliseconds.
    closure = np.sort(windows(levels, _CLOSURE_MS, axis=1)[:, : count - lead - _BURST_MS + 1], axis=2)
    closure_db = closure[:, :, int(0.8 * _CLOSURE_MS)]
    burst_db = windows(levels, _BURST_MS, axis=1).max(axis=2)[:, lead:]
    rises = burst_db - closure_db
    rise = np.median(rises, axis=0)
    # A closure is silent beside the speech around it, not only beside its own burst.
    around = windows(np.pad(loudness, 500, mode="edge"), 1001)[lead : lead + len(rise) : 1, ::20]
    speech = np.quantile(around, 0.9, axis=1)
    quiet = closure_db.max(axis=0) <= speech - 15.0
    audible = burst_db.max(axis=0) >= speech - 25.0
    strong = np.where(quiet & audible & (rises.min(axis=0) > 3.0), rise, 0.0)

    bursts = []
    for frame in _peaks(strong, _LEAST_RISE_DB, _APART_MS):
        edge = lead + frame
        onset, steep = _onset(loudness, edge, float(closure_db[:, frame].max()))
        if not steep:
            continue
        time = start + onset * _STEP_MS / 1000 + _FRAME_MS / 2000
        bursts.append(
            Burst(time, float(strong[frame]), _place(samples, sample_rate, round(onset * sample_rate / 1000)))
        )
    return tuple(bursts)


def _levels_db(samples: Floats, sample_rate: int) -> Floats:
    """Return the level of each band every millisecond, frame ``f`` beginning at ``f`` ms, shape ``(bands, frames)``."""
    width = sample_rate * _FRAME_MS // 1000
    if len(samples) < width:
        return np.zeros((len(_BANDS_HZ), 0), np.float32)
    count = (len(samples) - width) * 1000 // sample_rate + 1
    begins = np.arange(count) * sample_rate // 1000
    window = np.hanning(width + 2)[1:-1].astype(np.float32)
    hertz = np.fft.rfftfreq(width, 1 / sample_rate)
    masks = np.stack([(hertz >= low) & (hertz < high) for low, high in _BANDS_HZ]).astype(np.float32)
    masks = masks[masks.any(axis=1)]
    frames = np.lib.stride_tricks.sliding_window_view(samples, width)
    levels = np.empty((len(masks), count), np.float32)
    for first in range(0, count, _BLOCK_FRAMES):
        part = frames[begins[first : first + _BLOCK_FRAMES]] * window
        power = np.square(np.abs(np.fft.rfft(part, axis=1))).astype(np.float32)
        levels[:, first : first + _BLOCK_FRAMES] = 10 * np.log10(masks @ power.T / width**2 + _FLOOR)
    return levels


def _peaks(values: Floats, least: float, apart: int) -> list[int]:
    """Return the first frame of each highest stretch above ``least``, ``apart`` frames from any higher one."""
    taken: list[int] = []
    above = np.flatnonzero(values >= least)
    for frame in above[np.argsort(-values[above], kind="stable")]:
        if all(abs(int(frame) - other) >= apart for other in taken):
            taken.append(int(frame))
    return sorted(taken)


def _onset(loudness: Floats, edge: int, closure_db: float) -> tuple[float, bool]:
    """Return where the loudness passes half-way up, in fractional frames, and whether it rose as fast as a burst."""
    top = float(loudness[edge : edge + _BURST_MS].max())
    first = max(0, edge - 8)
    rising = loudness[first : edge + _BURST_MS]
    # A window half filled with the burst has half its amplitude, so this is where its middle meets the edge.
    half = top - 6.0
    above = np.flatnonzero(rising >= half)
    index = int(above[0])
    if index == 0:
        return float(first), False
    before, after = float(rising[index - 1]), float(rising[index])
    crossing = first + index - 1 + (half - before) / (after - before)
    reached = np.flatnonzero(rising[index:] >= top - 3.0)
    started = np.flatnonzero(rising[: index + 1] <= closure_db + 3.0)
    steep = len(reached) > 0 and len(started) > 0 and index + int(reached[0]) - int(started[-1]) <= _FRAME_MS + 6
    return crossing, steep


def _place(samples: Floats, sample_rate: int, onset: int) -> Place:
    """Guess the place of closure from the first 12 ms (Blumstein and Stevens 1979: falling, rising or compact)."""
    part = samples[onset : onset + sample_rate * 12 // 1000]
    power = np.square(np.abs(np.fft.rfft(part * np.hanning(len(part) + 2)[1:-1], 512)))
    hertz = np.fft.rfftfreq(512, 1 / sample_rate)
    low, middle, high = (
        float(power[(hertz >= begin) & (hertz < end)].sum()) for begin, end in ((300, 1200), (1200, 3200), (3200, 8000))
    )
    if high >= max(low, middle):
        return Place.ALVEOLAR
    return Place.VELAR if middle >= low else Place.LABIAL


def partings(mouth: MouthTrace) -> tuple[Parting, ...]:
    """Find where shut lips part, between frames.

    What "shut" is differs with face and landmarks, so it is taken from the trace itself: the lowest tenth of the span
    between its 2nd and 95th percentiles. The growth of the gap in the first two frames after the lips have parted is
    followed down to the shut level.

    Args:
        mouth: openings at presentation times; stretches without a face or with frames missing are not bridged.

    Returns:
        Partings in order of time.
    """
    seen = np.isfinite(mouth.opening)
    if int(seen.sum()) < 10:
        return ()
    times, opening = mouth.times[seen], mouth.opening[seen].astype(np.float64)
    low, high = np.quantile(opening, (0.02, 0.95))
    span = float(high - low)
    if span <= 0:
        return ()
    shut = opening <= low + 0.1 * span
    durations = np.diff(times)
    longest_gap = 1.6 * float(np.median(durations))
    found = []
    for last in np.flatnonzero(shut[:-1] & ~shut[1:]):
        if last + 2 >= len(times) or times[last + 2] - times[last] > 2 * longest_gap:
            continue
        begin = last
        while begin > 0 and shut[begin - 1] and durations[begin - 1] <= longest_gap:
            begin -= 1
        floor = float(opening[begin : last + 1].min())
        growth = max((opening[last + 2] - floor) / (opening[last + 1] - floor), 1.1) ** (1 / _GROWTH)
        moment = (growth * times[last + 1] - times[last + 2]) / (growth - 1)
        soon = (times > times[last]) & (times <= max(times[last] + 0.1, times[last + 2]))
        opened = float(opening[soon].max() - floor)
        if opened >= 0.25 * span:
            found.append(Parting(float(np.clip(moment, times[last], times[last + 1])), opened))
    return tuple(found)


def match_plosives(seen: Sequence[Parting], heard: Sequence[Burst], offset_ms: float) -> tuple[PlosivePair, ...]:
    """Pair partings of the lips with bursts, each used once, nearest to the given offset first.

    Args:
        seen: partings in the picture.
        heard: bursts in the sound.
        offset_ms: how late the sound is; the burst is looked for that much after the parting, within
            :data:`MATCH_MS`.

    Returns:
        Pairs in order of time.
    """
    partings_at = np.array([parting.time for parting in seen], np.float64)
    bursts_at = np.array([burst.time for burst in heard], np.float64)
    if not len(partings_at) or not len(bursts_at):
        return ()
    order = np.argsort(bursts_at)
    begins = np.searchsorted(bursts_at[order], partings_at + (offset_ms - MATCH_MS) / 1000)
    ends = np.searchsorted(bursts_at[order], partings_at + (offset_ms + MATCH_MS) / 1000, side="right")
    near = [
        (abs(bursts_at[order[position]] - at - offset_ms / 1000), index, int(order[position]))
        for index, (at, begin, end) in enumerate(zip(partings_at, begins, ends, strict=True))
        for position in range(begin, end)
    ]
    used_seen: set[int] = set()
    used_heard: set[int] = set()
    pairs = []
    for _, index, burst in sorted(near):
        if index not in used_seen and burst not in used_heard:
            used_seen.add(index)
            used_heard.add(burst)
            pairs.append(PlosivePair(float(partings_at[index]), float(bursts_at[burst])))
    return tuple(sorted(pairs, key=lambda pair: pair.seen))


def plosive_offset(seen: Sequence[Parting], heard: Sequence[Burst], offset_ms: float) -> Offset | None:
    """Measure the offset from plosives alone: the median delay from parting to burst.

    The search is centred on its own median until that stands still, so that the result does not lean towards the
    ``offset_ms`` it began with.

    Args:
        seen: partings in the picture.
        heard: bursts in the sound.
        offset_ms: where to begin, within about 50 ms of the truth.

    Returns:
        The offset, its uncertainty from the spread of the pairs; ``None`` with fewer than five pairs.
    """
    centre = offset_ms
    delays = np.zeros(0)
    for _ in range(20):
        pairs = match_plosives(seen, heard, centre)
        if len(pairs) < 5:
            return None
        delays = np.array([(pair.heard - pair.seen) * 1000 for pair in pairs])
        moved = float(np.median(delays))
        if abs(moved - centre) < 0.1:
            break
        centre = moved
    spread = 1.4826 * float(np.median(np.abs(delays - centre)))
    # The median of a normal sample varies 1.2533 times as much as its mean.
    return Offset(centre, 1.96 * 1.2533 * spread / float(np.sqrt(len(delays))))
