"""Find flashes and beeps again, by plain decoding: independent of the code under test."""

from __future__ import annotations

from fractions import Fraction
from os import PathLike, fspath

import av
import numpy as np
from scipy.signal import fftconvolve

from tests.media.clips import beep


def flash_times(path: str | PathLike[str]) -> list[Fraction]:
    """Return the presentation times of the white frames of the first video stream, in seconds."""
    times = []
    with av.open(fspath(path)) as container:
        for frame in container.decode(video=0):
            grey = frame.reformat(format="gray", width=32, height=18).to_ndarray()
            if np.median(grey) > 180 and frame.pts is not None and frame.time_base is not None:
                times.append(frame.pts * frame.time_base)
    return times


def decoded_sound(path: str | PathLike[str], stream: int = 0) -> tuple[Fraction, int, np.ndarray]:
    """Return ``(time of the first sample, sample rate, first channel)``; the sound is taken for contiguous."""
    start, rate, blocks = None, 0, []
    with av.open(fspath(path)) as container:
        resampler = av.AudioResampler(format="flt")
        for frame in container.decode(audio=stream):
            if start is None and frame.pts is not None and frame.time_base is not None:
                start = frame.pts * frame.time_base
            rate = frame.sample_rate
            blocks += [part.to_ndarray()[0, :: part.layout.nb_channels] for part in resampler.resample(frame)]
    if start is None:
        raise AssertionError("no sound was decoded")
    return start, rate, np.concatenate(blocks)


def find_beeps(sound: np.ndarray, sample_rate: int, threshold: float = 0.5) -> list[int]:
    """Return the index of the first sample of each beep in mono ``sound``, by matched filter."""
    template = beep(sample_rate).astype(np.float64)
    score = fftconvolve(sound.astype(np.float64), template[::-1], mode="full")[len(template) - 1 :]
    score /= np.dot(template, template)
    found = []
    while True:
        peak = int(np.argmax(score))
        if score[peak] < threshold:
            return sorted(found)
        found.append(peak)
        score[max(0, peak - len(template)) : peak + len(template)] = 0


def beep_times(path: str | PathLike[str], stream: int = 0, threshold: float = 0.5) -> list[Fraction]:
    """Return when each beep of an audio stream begins, to the sample, in seconds on the file's clock."""
    start, rate, sound = decoded_sound(path, stream)
    return [start + Fraction(index, rate) for index in find_beeps(sound, rate, threshold)]
