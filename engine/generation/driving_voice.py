"""The voice as engines hear it: prepared once, then laid under the pictures with every offset applied."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.generation.plan import VOICE_RATE, Plan, Segment
from engine.jobs import Job, Progress
from engine.refusal import Refusal, Refused
from engine.sound.prepare import prepare
from engine.sound.prepared import Prepared, sidecar

_FULL_SCALE = 32768.0
_BLOCK = 16 * VOICE_RATE


def prepared_voice(voice: Path, folder: Path) -> Job[Prepared]:
    """Prepare a voice, from its first sample to its last; taken as it is if an earlier run left it whole.

    Args:
        voice: any file with sound.
        folder: where the prepared file goes.

    Raises:
        Refused: as :func:`engine.sound.prepare.prepare`.
    """
    target = folder / "voice.wav"
    try:
        known = Prepared.load(target)
        with wave.open(str(target), "rb") as file:
            if file.getnframes() == known.samples:
                return known
    except (OSError, ValueError, EOFError, wave.Error):
        target.unlink(missing_ok=True)
        sidecar(target).unlink(missing_ok=True)
    made = yield from prepare(voice, target, trim=False, overwrite=True)
    if isinstance(made, Refusal):
        raise Refused(made)
    return made


class WavVoice:
    """A 16-bit mono WAV file, read where it is wanted; outside it there is silence.

    Attributes:
        path: the file.
        samples: its length.
        sample_rate: samples per second.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = wave.open(str(path), "rb")  # noqa: SIM115 - open as long as this object
        self.samples = self._file.getnframes()
        self.sample_rate = self._file.getframerate()

    def read(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return samples ``start`` to ``stop``, full scale 1, shape ``(stop - start,)``."""
        return self._integers(start, stop).astype(np.float32) / np.float32(_FULL_SCALE)

    def _integers(self, start: int, stop: int) -> npt.NDArray[np.int16]:
        out = np.zeros(max(0, stop - start), np.int16)
        first, end = max(0, start), min(stop, self.samples)
        if first < end:
            self._file.setpos(first)
            read = np.frombuffer(self._file.readframes(end - first), "<i2")
            out[first - start : first - start + len(read)] = read
        return out

    def copy(self, start: int, stop: int, target: wave.Wave_write) -> None:
        """Append samples ``start`` to ``stop`` to an open file."""
        for begin in range(start, stop, _BLOCK):
            target.writeframesraw(self._integers(begin, min(begin + _BLOCK, stop)).astype("<i2").tobytes())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def lay_under(prepared: Prepared, plan: Plan, target: Path) -> Job[WavVoice]:
    """Write the sound that drives the pictures: each segment's samples, shifted by its offset, silence at the end.

    Args:
        prepared: the voice.
        plan: frames and segments.
        target: the WAV file to write.

    Returns:
        The driving voice, ``plan.samples`` long.
    """
    voice = WavVoice(prepared.path)
    try:
        with wave.open(str(target), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(VOICE_RATE)
            for number, segment in enumerate(plan.segments):
                start, stop = plan.samples_of(segment)
                moved = _shift(segment)
                voice.copy(start - moved, stop - moved, file)
                yield Progress("listening", number / len(plan.segments))
    finally:
        voice.close()
    return WavVoice(target)


def _shift(segment: Segment) -> int:
    """Return by how many samples the sound that drives a segment is moved; positive, later."""
    return round(segment.audio_offset_ms * VOICE_RATE / 1000)
