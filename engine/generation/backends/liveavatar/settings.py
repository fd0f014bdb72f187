"""What can be set on the LiveAvatar engine, under the names of the published command line. Light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.generation.backend import Parameter, ParameterKind
from engine.generation.backends.liveavatar.config import BLOCK_FRAMES, SIZE_STEP, WINDOW_BLOCKS
from engine.generation.backends.liveavatar.planner import ScheduleName, Wishes
from engine.generation.spec import Offload, ParameterValue, Precision, RenderSpec
from engine.words import Message

AREAS = {
    "720*1280": 720 * 1280,
    "1280*720": 1280 * 720,
    "480*832": 480 * 832,
    "832*480": 832 * 480,
    "704*1280": 704 * 1280,
    "1280*704": 1280 * 704,
    "1024*704": 1024 * 704,
    "704*1024": 704 * 1024,
    "720*400": 720 * 400,
    "704*384": 704 * 384,
    "688*368": 688 * 368,
    "384*256": 384 * 256,
}
"""Sizes of the published command line. They are areas: the shape is the picture's."""
USUAL_AREA = AREAS["704*384"]

_AUTO = "auto"
_MOST_WINDOW = 8
KERNELS = ("auto", "cudnn", "flash", "efficient", "math")


@dataclass(frozen=True, slots=True)
class Settings:
    """The engine's own settings.

    Attributes:
        sample_steps: denoising steps, 3 or 4.
        window: blocks a block sees, from ``infer_frames``.
        attention: which attention kernel.
        compiled: whether the layers are compiled first.
        save_rings: whether what the network remembers is saved now and then, so that a stopped render goes on at once.
        wishes: for the planner.
    """

    sample_steps: int
    window: int
    attention: str
    compiled: bool
    save_rings: bool
    wishes: Wishes

    @classmethod
    def of(cls, values: Mapping[str, ParameterValue], spec: RenderSpec) -> Settings:
        """Read them from a job's parameters and the general part of its spec."""
        steps, window = int(values["sample_steps"]), window_of(int(values["infer_frames"]))
        schedule, rings, place = (str(values[name]) for name in ("schedule", "ring_precision", "ring_place"))
        fp8 = None if spec.precision is Precision.AUTO else spec.precision is Precision.FP8
        stream = None if spec.offload is Offload.AUTO else spec.offload is Offload.LAYERS
        return cls(
            sample_steps=steps,
            window=window,
            attention=str(values["attention"]),
            compiled=bool(values["compile"]),
            save_rings=bool(values["save_rings"]),
            wishes=Wishes(
                steps=steps,
                window=window,
                schedule=None if schedule == _AUTO else ScheduleName(schedule),
                fp8_weights=fp8,
                fp8_rings=None if rings == _AUTO else rings == "fp8",
                rings_on_host=None if place == _AUTO else place == "ram",
                stream_weights=stream,
            ),
        )


def window_of(infer_frames: int) -> int:
    """Return how many blocks ``infer_frames`` stands for: whole blocks of 12 frames, at least 2."""
    return min(_MOST_WINDOW, max(2, round(infer_frames / BLOCK_FRAMES)))


def picture_size(area: int, width: int, height: int) -> tuple[int, int]:
    """Return width and height for a picture of another size: its shape, at most ``area``, in multiples of 64.

    A small picture is not enlarged by more than it takes to fill the last 64 pixels, as published.
    """
    scale = min(1.0, (area / (width * height)) ** 0.5)

    def side(length: float) -> int:
        return max(1, round(length / SIZE_STEP)) * SIZE_STEP

    best = side(width * scale), side(height * scale)
    while best[0] * best[1] > area and max(best) > SIZE_STEP:
        wide = best[0] / width >= best[1] / height
        best = (best[0] - SIZE_STEP, best[1]) if wide and best[0] > SIZE_STEP else (best[0], best[1] - SIZE_STEP)
    return best


def _parameter(name: str, kind: ParameterKind, default: ParameterValue, **limits: object) -> Parameter:
    title, about = Message(f"liveavatar.{name}.title"), Message(f"liveavatar.{name}.help")
    return Parameter(name, kind, default, title, about, **limits)  # type: ignore[arg-type]  # limits are Parameter's own


PARAMETERS = (
    _parameter("sample_steps", ParameterKind.WHOLE, 4, minimum=3, maximum=4, step=1),
    _parameter(
        "infer_frames", ParameterKind.WHOLE, WINDOW_BLOCKS * BLOCK_FRAMES,
        minimum=2 * BLOCK_FRAMES, maximum=_MOST_WINDOW * BLOCK_FRAMES, step=BLOCK_FRAMES,
    ),
    _parameter("schedule", ParameterKind.CHOICE, _AUTO, choices=(_AUTO, *(each.value for each in ScheduleName))),
    _parameter("ring_precision", ParameterKind.CHOICE, _AUTO, choices=(_AUTO, "full", "fp8")),
    _parameter("ring_place", ParameterKind.CHOICE, _AUTO, choices=(_AUTO, "card", "ram")),
    _parameter("attention", ParameterKind.CHOICE, "auto", choices=KERNELS),
    _parameter("compile", ParameterKind.FLAG, False),
    _parameter("save_rings", ParameterKind.FLAG, True),
)  # fmt: skip
