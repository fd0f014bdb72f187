"""What an engine is to the frame around it: what it can do, what it needs, and pictures for a segment of voice.

To write an engine, write a class with the methods of :class:`Backend` and name a factory for it under the entry point
group ``plosive.engines``; ``docs/engines.md`` leads through it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from engine.generation.plan import Plan, Segment
from engine.generation.spec import Offload, ParameterValue, Precision, RenderSpec
from engine.jobs import Job, Progress
from engine.refusal import Refusal
from engine.words import Message

Picture = npt.NDArray[np.uint8]
"""One picture: RGB, shape ``(height, width, 3)``, contiguous."""


def own_words(english: str, chinese: str = "") -> Message:
    """Return a sentence of an engine that does not come with the program and so has no entries in its catalogues.

    Args:
        english: the sentence in English.
        chinese: the same in Simplified Chinese; without it the English one is said.
    """
    return Message("generation.own_words", english=english, chinese=chinese or english)


class SourceKind(StrEnum):
    """What shows the face."""

    PICTURE = "picture"
    VIDEO = "video"


class Demand(StrEnum):
    """What can be lowered when memory does not suffice, in this order."""

    OFFLOAD = "offload"
    CHUNK = "chunk"
    PRECISION = "precision"
    SIZE = "size"


class ParameterKind(StrEnum):
    """What values a parameter takes, and so how it is edited."""

    FLAG = "flag"
    WHOLE = "whole"
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting of an engine, declared once: form, command line and check are made from it.

    Attributes:
        name: as in :attr:`RenderSpec.parameters`.
        kind: what it takes.
        default: the recommended value.
        title: what it is called.
        help: one sentence about what it does.
        minimum: smallest value, for numbers.
        maximum: greatest value, for numbers.
        step: by how much an editor changes it, for numbers.
        choices: the values of a choice.
        unit: what a number counts, such as ``"px"``.
    """

    name: str
    kind: ParameterKind
    default: ParameterValue
    title: Message
    help: Message
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        # Engines name members of enumerations of their own; what travels to the window is the plain text.
        object.__setattr__(self, "choices", tuple(str(each) for each in self.choices))
        if isinstance(self.default, str):
            object.__setattr__(self, "default", str(self.default))

    def problem(self, value: ParameterValue) -> Refusal | None:
        """Return why a value cannot be this parameter's, or ``None``."""
        if self._takes(value):
            return None
        if self.kind is ParameterKind.CHOICE:
            return Refusal.of("generation.parameter.choice", name=self.name, choices=", ".join(self.choices))
        if self.minimum is not None and self.maximum is not None:
            return Refusal.of(
                "generation.parameter.range",
                name=self.name,
                minimum=self.minimum,
                maximum=self.maximum,
                unit=f" {self.unit}" if self.unit else "",
            )
        return Refusal.of("generation.parameter.kind", name=self.name, kind=Message(f"generation.kind.{self.kind}"))

    def _takes(self, value: ParameterValue) -> bool:
        match self.kind:
            case ParameterKind.FLAG:
                return isinstance(value, bool)
            case ParameterKind.CHOICE:
                return value in self.choices
            case ParameterKind.TEXT:
                return isinstance(value, str)
        kinds = (int,) if self.kind is ParameterKind.WHOLE else (int, float)
        if isinstance(value, bool | str) or not isinstance(value, kinds):
            return False
        # Written so that a NaN is outside of every range.
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing an engine needs: weights, a package, a device.

    Attributes:
        name: file, package or device.
        is_ready: whether it is there.
        sentence: what it is, and if it is missing, what to do.
        size_bytes: size of a file that would have to be fetched, if known.
    """

    name: str
    is_ready: bool
    sentence: Message
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, and whether it can do it here.

    Attributes:
        name: as in the registry.
        title: what people call it.
        about: one or two sentences: what it is good for, and what it costs.
        version: changes whenever the same spec gives other pictures.
        takes: what may show the face.
        fps: rates it can draw at, the best one first; empty for any.
        default_fps: rate for a still picture, and for a video at a rate that it cannot draw.
        block_frames: pictures it draws at once; segments are whole blocks.
        size_multiple: width and height are multiples of this; at least 2.
        most_pixels: largest width times height, ``None`` without a limit.
        usual_pixels: width times height when none is asked for, whatever the source's; ``None`` for the frame's own.
        keeps_size: whether it works on the whole picture of the source and can leave it at its size; otherwise the
            picture is scaled to ``most_pixels``.
        parameters: its own settings.
        requirements: what it needs.
        needs_gpu: whether it is of no use without a graphics card.
        reads_prompt: whether a prompt changes anything.
        heeds: those of the spec's ``lead_in``, ``online_decode`` and ``online_decode_chunk`` that change anything.
        lowers: which demands save memory when they are lowered.
        licence: under which terms its weights may be used, ``None`` without weights.
    """

    name: str
    title: Message
    about: Message
    version: str
    takes: tuple[SourceKind, ...] = (SourceKind.PICTURE, SourceKind.VIDEO)
    fps: tuple[Fraction, ...] = ()
    default_fps: Fraction = Fraction(25)
    block_frames: int = 1
    size_multiple: int = 2
    most_pixels: int | None = None
    usual_pixels: int | None = None
    keeps_size: bool = True
    parameters: tuple[Parameter, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    needs_gpu: bool = False
    reads_prompt: bool = False
    heeds: tuple[str, ...] = ()
    lowers: tuple[Demand, ...] = tuple(Demand)
    licence: Message | None = None

    @property
    def is_ready(self) -> bool:
        """Whether everything it needs is there."""
        return all(each.is_ready for each in self.requirements)

    def values(self, spec: RenderSpec) -> dict[str, ParameterValue]:
        """Return all parameters: those of the spec, defaults for the rest."""
        return {each.name: spec.parameters.get(each.name, each.default) for each in self.parameters}

    def problem(self, spec: RenderSpec) -> Refusal | None:
        """Return what of a spec this engine cannot do, or ``None``."""
        known = {each.name: each for each in self.parameters}
        for name, value in spec.parameters.items():
            if name not in known:
                return Refusal.of(
                    "generation.parameter.unknown", name=name, engine=self.title, known=", ".join(known) or "–"
                )
            if problem := known[name].problem(value):
                return problem
        if self.fps and spec.fps is not None and spec.fps not in self.fps:
            rates = ", ".join(f"{float(rate):g}" for rate in self.fps)
            return Refusal.of("generation.fps", engine=self.title, rates=rates)
        if spec.size is not None and any(side % self.size_multiple for side in spec.size):
            return Refusal.of("generation.size_multiple", engine=self.title, multiple=self.size_multiple)
        if spec.size is not None and self.most_pixels is not None and spec.size[0] * spec.size[1] > self.most_pixels:
            return Refusal.of("generation.size_limit", engine=self.title, pixels=self.most_pixels)
        return None


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card.

    Attributes:
        device: its name in a spec, ``cuda:0``.
        title: its name in a shop.
        total_bytes: its memory.
        free_bytes: what nobody uses now.
        driver: version of its driver.
        compute: compute capability such as ``(8, 9)``, ``None`` if unknown.
    """

    device: str
    title: str
    total_bytes: int
    free_bytes: int
    driver: str = ""
    compute: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """The machine that renders.

    Attributes:
        cores: processors this process may use.
        ram_bytes: main memory.
        free_ram_bytes: what is available now.
        free_disk_bytes: room where the render is stored.
        gpus: graphics cards that computing libraries can use.
    """

    cores: int
    ram_bytes: int
    free_ram_bytes: int
    free_disk_bytes: int
    gpus: tuple[Gpu, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a render will take.

    Attributes:
        vram_bytes: memory of the fullest graphics card.
        ram_bytes: main memory.
        disk_bytes: room for the result and what is kept meanwhile.
        seconds: how long it takes.
        notes: what one should know beforehand.
    """

    vram_bytes: int
    ram_bytes: int
    disk_bytes: int
    seconds: float
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Devices:
    """What the engine is to run on now; the frame lowers its demands when memory does not suffice.

    Attributes:
        names: ``cpu``, ``mps``, ``cuda:0``...; the first one is the main one.
        offload: where weights wait; never ``AUTO``.
        precision: number format; never ``AUTO``, but an engine may take the nearest one that it has.
        chunk: pictures computed at a time, ``None`` for the engine's own choice.
    """

    names: tuple[str, ...] = ("cpu",)
    offload: Offload = Offload.NONE
    precision: Precision = Precision.FP32
    chunk: int | None = None


class Source(Protocol):
    """The face, as upright RGB pictures of the plan's size, in step with the clip's frames.

    Attributes:
        kind: picture or video.
        path: the file.
        size: width and height of what is offered, that of the plan.
    """

    kind: SourceKind
    path: Path
    size: tuple[int, int]

    def picture_number(self, frame: int) -> int:
        """Return which picture of the source is shown in a frame of the clip: equal numbers, equal pixels.

        For a still picture this is always 0. What was found in a picture (landmarks, say) may be kept under it.
        """
        ...

    def frame_at(self, frame: int) -> Picture:
        """Return the source's picture for a frame of the clip; not to be written to.

        Going forward is fast; going back is exact, but may decode again.
        """
        ...

    def frames(self, first: int, count: int) -> Iterator[Picture]:
        """Yield the pictures of successive frames, as :meth:`frame_at`."""
        ...


class DrivingVoice(Protocol):
    """The voice as engines hear it: 16 kHz, mono, exactly as long as the picture, all offsets applied.

    Attributes:
        path: a 16-bit WAV file of it.
        samples: its length, that of the plan.
        sample_rate: 16000.
    """

    path: Path
    samples: int
    sample_rate: int

    def read(self, start: int, stop: int) -> npt.NDArray[np.float32]:
        """Return samples ``start`` to ``stop``, full scale 1, shape ``(stop - start,)``; silence outside the voice."""
        ...


@dataclass(frozen=True)
class RenderJob:
    """Everything an engine is given.

    Attributes:
        spec: what is wanted.
        plan: frame rate, size and segments.
        voice: the sound that drives the mouth.
        source: the face.
        parameters: the engine's own, complete with defaults.
        folder: a place for what the engine wants to keep while this render is not finished; what is in it must be worth
            nothing: it may be gone after a resume.
    """

    spec: RenderSpec
    plan: Plan
    voice: DrivingVoice
    source: Source
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    folder: Path = Path()


class OutOfMemory(Exception):  # noqa: N818 - a state of the machine; the frame has an answer to it
    """The memory of a device or of the machine does not suffice; the frame steps down and tries again.

    Args:
        device: which memory it is, as in :class:`Devices`.
    """

    def __init__(self, device: str) -> None:
        super().__init__(device)
        self.device = device


class Backend(Protocol):
    """An engine.

    The calls come in this order: ``capabilities`` at any time; ``plan``; ``load``; ``restore`` if a render is taken up
    again and :meth:`state` gave something; ``render`` for one segment after the other, ascending, possibly not from the
    first; ``close``, after which ``load`` may come again with lower demands. All run in the worker process;
    ``capabilities`` must be quick and must not import big packages.
    """

    def capabilities(self) -> Capabilities:
        """Say what the engine can do, and whether what it needs is there."""
        ...

    def plan(self, spec: RenderSpec, plan: Plan, host: Host) -> Estimate | Refusal:
        """Estimate what a render takes before anything is loaded, or say why it cannot be done."""
        ...

    def load(self, job: RenderJob, devices: Devices) -> Job[None]:
        """Get ready: load weights, look at the source, hear the voice.

        Raises:
            Refused: if something expected is in the way.
            OutOfMemory: if it does not fit.
        """
        ...

    def render(self, segment: Segment) -> Iterator[Picture | Progress]:
        """Yield exactly ``segment.frame_count`` pictures of the plan's size.

        They depend on spec, segment and :meth:`state` only. Between pictures it may yield
        :class:`~engine.jobs.Progress` (``done`` counts within the segment): every yield is a place to stop, so there
        should be one every second.

        Raises:
            Refused: if something expected is in the way.
            OutOfMemory: if it does not fit; the segment will be asked for again after :meth:`load`.
        """
        ...

    def state(self) -> bytes | None:
        """Return what the next segment needs of the ones before, or ``None`` if segments stand by themselves."""
        ...

    def restore(self, state: bytes) -> None:
        """Take up what :meth:`state` gave after the segment before."""
        ...

    def close(self) -> None:
        """Give everything back; harmless when nothing is loaded."""
        ...


def ready(requirements: Sequence[Requirement]) -> Refusal | None:
    """Return a refusal that names the first thing that is missing, or ``None``."""
    missing = next((each for each in requirements if not each.is_ready), None)
    return None if missing is None else Refusal.of("generation.not_ready", what=missing.sentence)
