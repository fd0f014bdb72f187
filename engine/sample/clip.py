"""Writes sample clips: a drawn person speaks, and how late the sound is, is known to the sample.

The frame with presentation time t shows the mouth at t: what an exposure of no length at that instant would have seen.
Sound offset by d plays at t what the mouth showed at t - d.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import Colorspace

from engine.jobs import Job, Progress
from engine.media.export.target_file import written
from engine.refusal import Refused
from engine.sample.articulation import Articulation
from engine.sample.look import Look
from engine.sample.motion import Motion
from engine.sample.prosody import Voice
from engine.sample.scene import Person, Scene
from engine.sample.soundtrack import Delay, Soundtrack
from engine.sample.text import sample_text
from engine.sample.voice import Speech, speak

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffixes that can be written, and the muxer of each."""

_AAC_FRAME = 1024
_BT709 = 1


@dataclass(frozen=True)
class SamplePlan:
    """Everything a sample clip will hold; cheap to make, nothing is drawn yet.

    Attributes:
        speech: what is said.
        articulation: how the speaker's mouth moves.
        delay: how late the sound is.
        rate: frames per second.
        frames: how many.
        size: width and height in pixels, both even.
        looks: who is in the picture, from left to right.
        speaking: which of them speaks.
        seed: of everything that varies naturally.
    """

    speech: Speech
    articulation: Articulation
    delay: Delay
    rate: Fraction
    frames: int
    size: tuple[int, int]
    looks: tuple[Look, ...]
    speaking: int
    seed: int

    @property
    def duration(self) -> Fraction:
        """Length of the picture in seconds; the sound ends with it."""
        return self.frames / self.rate

    def scene(self) -> Scene:
        """Draw the people, still."""
        beats = tuple(float(phone.start) for phone in self.speech.phones if phone.sound.is_vowel and phone.stress == 2)
        people = [
            Person(
                look,
                Motion(self.seed + 100 * index, beats if index == self.speaking else ()),
                self.articulation if index == self.speaking else None,
            )
            for index, look in enumerate(self.looks)
        ]
        return Scene(self.size, people, self.looks[0] if self.looks else Look.of(self.seed), self.seed)

    def soundtrack(self) -> Soundtrack:
        """Return the clip's sound."""
        return Soundtrack(self.speech, self.delay, self.seed)

    def truth(self) -> dict[str, Any]:
        """Return what is known about the clip, as plain data: times in seconds, offsets in milliseconds.

        ``bursts`` holds, for every burst that is heard within the clip, the phone, when the closure is seen to open and
        when it is heard to; ``closures`` when lips shut and part.
        """
        rate, end = self.speech.sample_rate, self.duration
        spoken = [phone for phone in self.speech.phones if phone.start < end]
        offset = self.delay.pieces(rate)[0][1]
        return {
            "offset_ms": float(offset * 1000),
            "drift_ppm": self.delay.drift_ppm,
            "steps": [{"t": float(time), "offset_ms": ms} for time, ms in self.delay.steps],
            "rate": str(self.rate),
            "frames": self.frames,
            "size": list(self.size),
            "sample_rate": rate,
            "phones": [
                {
                    "phone": phone.name,
                    "start": float(phone.start),
                    "end": float(phone.end),
                    "burst": None if phone.burst is None else float(phone.burst),
                }
                for phone in spoken
            ],
            "bursts": [
                {"phone": phone.name, "seen": float(phone.burst), "heard": float(heard)}
                for phone in spoken
                if phone.burst is not None
                for heard in self.delay.heard(phone.burst, rate)
                if 0 <= heard < end
            ],
            "closures": [
                {"shut": closure.shut, "part": closure.part}
                for closure in self.articulation.closures
                if closure.shut < end
            ],
        }


def plan_sample_clip(
    *,
    offset_ms: float = 80.0,
    seconds: Fraction | int = 20,
    rate: Fraction = Fraction(25),
    size: tuple[int, int] = (1280, 720),
    look: Look | Sequence[Look] | None = None,
    voice: Voice | None = None,
    seed: int = 0,
    text: str | Sequence[str] | None = None,
    drift_ppm: float = 0.0,
    steps: Sequence[tuple[Fraction, float]] = (),
    people: int = 1,
    speaking: int = 0,
) -> SamplePlan:
    """Decide everything about a sample clip.

    Args:
        offset_ms: how late the sound is; negative, early. Rounded to whole samples at 48 kHz.
        seconds: length, rounded up to whole frames.
        rate: frames per second.
        size: width and height in pixels, both even.
        look: who is drawn; several for several people. By default chosen by ``seed``.
        voice: who is heard; by default chosen by ``seed`` to suit the look.
        seed: of looks, voice, timing, melody, sway and blinks.
        text: what is said, repeated as often as needed (see :func:`engine.sample.voice.speak`); by default the
            project's own sentences.
        drift_ppm: growth of the offset in microseconds per second.
        steps: ``(from_seconds, offset_ms)`` of later stretches with another offset.
        people: how many people are in the picture; with 0 there is only the room, and the voice.
        speaking: which of them speaks, counted from the left.

    Raises:
        ValueError: if a size is odd or not positive, or a word is unknown.
    """
    if min(size) < 16 or size[0] % 2 or size[1] % 2 or seconds <= 0 or rate <= 0:
        raise ValueError(f"cannot draw {seconds} s of {size[0]}x{size[1]} at {rate} frames per second")
    if look is None:
        looks = tuple(Look.of(seed + index) for index in range(people))
    else:
        looks = (look,) if isinstance(look, Look) else tuple(look)
    voice = voice or Voice.of(seed + speaking)
    frames = math.ceil(Fraction(seconds) * rate)
    speech = speak(
        _sentences(seed) if text is None else text,
        voice=voice,
        seed=seed,
        at_least=frames / rate + Fraction(max(0, math.ceil(-offset_ms)), 1000) + 1,
    )
    return SamplePlan(
        speech=speech,
        articulation=Articulation(speech, voice.effort),
        delay=Delay(offset_ms, drift_ppm, tuple((Fraction(time), ms) for time, ms in steps)),
        rate=rate,
        frames=frames,
        size=size,
        looks=looks,
        speaking=speaking,
        seed=seed,
    )


def _sentences(seed: int) -> list[str]:
    """Return the project's sentences, for every seed but 0 in an order of its own."""
    sentences = list(sample_text("sentences"))
    if seed:
        np.random.default_rng([seed, 21]).shuffle(sentences)
    return sentences


def build_sample_clip(target: str | Path, *, truth: str | Path | None = None, **choices: Any) -> Job[Path]:
    """Write a sample clip (H.264 and AAC; MP4, MOV or MKV by suffix).

    Args:
        target: the clip to write; replaced if it exists.
        truth: if given, a JSON file to write with :meth:`SamplePlan.truth`.
        **choices: as for :func:`plan_sample_clip`.

    Yields:
        Progress after every frame.

    Returns:
        ``target`` as a path.

    Raises:
        Refused: ``sample.unknown_suffix``, or as :func:`engine.media.export.target_file.written`.
        ValueError: as :func:`plan_sample_clip`.
    """
    path = Path(target)
    muxer = FORMATS.get(path.suffix.lower())
    if muxer is None:
        raise Refused.because("sample.unknown_suffix", path=path, suffixes=", ".join(sorted(FORMATS)))
    plan = plan_sample_clip(**choices)
    with written([], path, overwrite=True) as place, av.open(str(place.result), "w", format=muxer) as container:
        yield from _encode(container, plan)
    if truth is not None:
        with written([], Path(truth), overwrite=True) as place:
            place.result.write_text(json.dumps(plan.truth(), indent=1), encoding="utf-8")
    return path


def _encode(container: OutputContainer, plan: SamplePlan) -> Iterator[Progress]:
    scene, sound = plan.scene(), plan.soundtrack()
    video = container.add_stream("libx264", rate=plan.rate, options={"preset": "veryfast", "crf": "19"})
    video.width, video.height = plan.size
    video.pix_fmt = "yuv420p"
    video.codec_context.time_base = 1 / plan.rate
    video.codec_context.gop_size = math.ceil(2 * plan.rate)
    video.codec_context.colorspace = video.codec_context.color_primaries = video.codec_context.color_trc = _BT709
    audio = container.add_stream("aac", rate=sound.sample_rate, layout="mono")
    audio.codec_context.bit_rate = 160_000
    end = math.ceil(plan.duration * sound.sample_rate)
    done = 0
    for number in range(plan.frames):
        frame = av.VideoFrame.from_ndarray(scene.frame(float(number / plan.rate)), format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts, frame.time_base = number, 1 / plan.rate
        container.mux(video.encode(frame))
        shown = min(end, math.ceil((number + 1) / plan.rate * sound.sample_rate))
        while done < shown:
            block = sound.read(done, min(done + _AAC_FRAME, end))
            packet = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            packet.sample_rate, packet.pts = sound.sample_rate, done
            packet.time_base = Fraction(1, sound.sample_rate)
            container.mux(audio.encode(packet))
            done += len(block)
        yield Progress("drawing", (number + 1) / plan.frames)
    container.mux(video.encode(None))
    container.mux(audio.encode(None))
