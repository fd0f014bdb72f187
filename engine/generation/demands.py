"""What an engine is asked to run on, and how demands are lowered, one at a time, when memory does not suffice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from engine.generation.backend import Capabilities, Demand, Devices, Host
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.refusal import Refused
from engine.words import Message

_OFFLOADS = (Offload.NONE, Offload.MODEL, Offload.LAYERS)
_FP8_SINCE = (8, 9)
"""Compute capability from which on cards multiply in fp8 (NVIDIA Ada)."""
_FIRST_CHUNK = 16
_SMALLER = Fraction(3, 4)
_SMALLEST_SCALE = Fraction(2, 5)


@dataclass(frozen=True, slots=True)
class Demands:
    """What is tried.

    Attributes:
        devices: what the engine is given.
        scale: size at which it draws, as a share of the clip's; its pictures are brought to the clip's size.
    """

    devices: Devices
    scale: Fraction = Fraction(1)


def first_demands(spec: RenderSpec, capabilities: Capabilities, host: Host) -> Demands:
    """Return the demands that a render begins with.

    Raises:
        Refused: ``generation.no_device`` if a device is named that is not there, or a card is needed and there is none.
    """
    there = [gpu.device for gpu in host.gpus]
    if "auto" in spec.devices:
        names = tuple(there) if capabilities.needs_gpu or there else ("cpu",)
    else:
        names = tuple("cuda:0" if name == "cuda" else name for name in spec.devices)
    for name in names:
        if name.startswith("cuda") and name not in there:
            raise Refused.because("generation.no_device", name=name, there=", ".join([*there, "cpu"]))
    if not names or (capabilities.needs_gpu and names == ("cpu",)):
        raise Refused.because("generation.no_gpu", engine=capabilities.title)
    on_cpu = names[0] == "cpu"
    precision = spec.precision
    if precision is Precision.AUTO:
        precision = Precision.FP32 if on_cpu else Precision.BF16
    offload = Offload.NONE if spec.offload is Offload.AUTO else spec.offload
    return Demands(Devices(names, offload, precision, spec.online_decode_chunk))


def lower(demands: Demands, spec: RenderSpec, capabilities: Capabilities, host: Host) -> tuple[Demands, Message] | None:
    """Return the next lower demands with what was done, or ``None`` when nothing is left to lower.

    Args:
        demands: what did not fit.
        spec: what may be lowered: a demand that the user set is left alone.
        capabilities: what is of use to the engine.
        host: what the cards can compute.
    """
    for lowered, message in _steps(demands, spec, capabilities, host):
        if lowered != demands:
            return lowered, message
    return None


def _steps(
    demands: Demands, spec: RenderSpec, capabilities: Capabilities, host: Host
) -> Iterator[tuple[Demands, Message]]:
    devices, helps = demands.devices, capabilities.lowers
    if Demand.OFFLOAD in helps and spec.offload is Offload.AUTO and devices.offload is not _OFFLOADS[-1]:
        further = _OFFLOADS[_OFFLOADS.index(devices.offload) + 1]
        yield (
            replace(demands, devices=replace(devices, offload=further)),
            Message(f"generation.lowered.offload_{further}"),
        )
    if Demand.CHUNK in helps and (devices.chunk is None or devices.chunk > capabilities.block_frames):
        now = devices.chunk or max(_FIRST_CHUNK, 2 * capabilities.block_frames)
        fewer = max(capabilities.block_frames, now // 2)
        yield (
            replace(demands, devices=replace(devices, chunk=fewer)),
            Message("generation.lowered.chunk", count=fewer),
        )
    if Demand.PRECISION in helps and spec.precision is Precision.AUTO:
        less = _less_precise(devices, host)
        if less is not None:
            yield (
                replace(demands, devices=replace(devices, precision=less)),
                Message("generation.lowered.precision", precision=less.value),
            )
    if Demand.SIZE in helps and spec.allow_smaller and demands.scale * _SMALLER >= _SMALLEST_SCALE:
        scale = demands.scale * _SMALLER
        yield replace(demands, scale=scale), Message("generation.lowered.size", percent=round(100 * scale))


def _less_precise(devices: Devices, host: Host) -> Precision | None:
    if devices.names[0] == "cpu":
        return Precision.BF16 if devices.precision is Precision.FP32 else None
    if devices.precision is Precision.FP32:
        return Precision.BF16
    cards = {gpu.device: gpu for gpu in host.gpus}
    compute = cards[devices.names[0]].compute if devices.names[0] in cards else None
    can = compute is not None and compute >= _FP8_SINCE
    return Precision.FP8 if can and devices.precision in {Precision.BF16, Precision.FP16} else None
