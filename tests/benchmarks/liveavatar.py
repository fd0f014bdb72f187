"""LiveAvatar's transformer with random weights: seconds per block, memory beside the plan, kernels, compiled layers.

``python -m tests.benchmarks.liveavatar --gpu`` measures the full size on one card and writes the README's rows. Without
``--gpu`` a tiny network compares the ways on this machine: it says that they agree, nothing about the big one's speed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import torch

from engine.generation.backends.liveavatar.attention import KERNELS, attend, attention_kernel, check_kernel
from engine.generation.backends.liveavatar.config import (
    BLOCK_FRAMES,
    MOTION_LATENTS,
    PIXELS_PER_LATENT,
    LatentSize,
    ModelConfig,
)
from engine.generation.backends.liveavatar.fp8 import Fp8Linear, can_multiply, replace_linears
from engine.generation.backends.liveavatar.model import S2VTransformer, layer_parts
from engine.generation.backends.liveavatar.planner import Choice, Planner, ScheduleName
from engine.generation.backends.liveavatar.sampler import noise_levels
from engine.generation.backends.liveavatar.schedule import Conductor, Finished, Script, sequential, wavefront
from engine.generation.backends.liveavatar.stage import RingOptions, Stage
from engine.generation.backends.liveavatar.streaming import StreamedLayers
from engine.generation.backends.liveavatar.vae import Codec, StreamDecoder, launched
from tests.benchmarks.cards import GB, Card, card, in_bfloat16, options, write_rows
from tests.benchmarks.table import show
from tests.engine.generation.backends.liveavatar.tiny import CONFIG as TINY

PLANNED_WITHIN = 0.10
"""How far the planner may be off."""
_SCHEDULES = {ScheduleName.SEQUENTIAL: sequential, ScheduleName.WAVEFRONT: wavefront}
_BOTH, _TOGETHER = tuple(_SCHEDULES), (ScheduleName.WAVEFRONT,)
_WAYS = (
    # title, schedules, fp8 weights, fp8 rings, rings in main memory, weights streamed
    ("bf16", _BOTH, False, False, False, False),
    ("bf16, rings fp8", _BOTH, False, True, False, False),
    ("bf16, rings in RAM", _TOGETHER, False, False, True, False),
    ("bf16, layers and rings in RAM", _TOGETHER, False, False, True, True),
    ("fp8, rings bf16", _TOGETHER, True, False, False, False),
    ("fp8", _BOTH, True, True, False, False),
    ("fp8, layers and rings in RAM", _BOTH, True, True, True, True),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is measured.

    Attributes:
        on: where.
        config: sizes of the network.
        size: of a latent frame.
        vae_base: width of the video VAE, 96 as released.
        warm_up: blocks before the clock starts; rings are full after four.
        timed: blocks that are timed.
        tiny: whether the figures mean nothing.
    """

    on: Card
    config: ModelConfig
    size: LatentSize
    vae_base: int
    warm_up: int
    timed: int
    tiny: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to do it.

    Attributes:
        title: its weights and what waits where.
        choice: as the planner has it.
        seconds: per block, transformer alone.
        peak_bytes: with the decoder.
        planned_bytes: what the planner says of that.
    """

    title: str
    choice: Choice
    seconds: float
    peak_bytes: int
    planned_bytes: int

    @property
    def plan_error(self) -> float:
        """How far the plan is off, as a share of what was used; positive, too much was planned."""
        return self.planned_bytes / self.peak_bytes - 1 if self.peak_bytes else 0.0


def main(words: Sequence[str] = ()) -> None:
    """Measure what was asked for, and print it."""
    asked = options(words, __doc__)
    tiny = asked.tiny or not asked.gpu
    on = card(tiny=tiny)
    if on is None:
        return
    if tiny:
        setting = Setting(on, TINY, LatentSize(8, 8), 8, 4, 2, tiny=True)
    else:
        setting = Setting(on, ModelConfig(), LatentSize.of_picture(704, 384), 96, 4, 3, tiny=False)
    planner = Planner(setting.config, setting.size)
    print(f"{on.name}; {planner.flops_per_block() / 1e12:.4g} TFLOP per block of {BLOCK_FRAMES} frames")
    with torch.inference_mode():
        _same_everywhere(setting)
        baseline = on.matrix_tflops(tiny=tiny)
        measured = list(_ways(setting, planner))
        _show_ways(measured, planner, baseline, on)
        if not asked.gpu:
            return
        kernels = _kernels(setting)
        compiled = _compiled(setting, planner)
        decoding = _decoding(setting, planner)
    width, height = (PIXELS_PER_LATENT * side for side in (setting.size.width, setting.size.height))
    title = f"LiveAvatar, {'tiny' if tiny else 'full size'}, random weights, {width}×{height}"
    rows = [(f"{title}: {way}", figure) for way, figure in _rows(measured, planner, baseline, on)]
    rows += [(f"{title}: attention of a block", kernels), (f"{title}: torch.compile", compiled)]
    rows.append((f"{title}: decoding beside the transformer", decoding))
    write_rows(rows, on, tiny=tiny)


# --- networks --------------------------------------------------------------------------------------------------------


def network(setting: Setting, choice: Choice) -> S2VTransformer:
    """Return the network in bfloat16 (matrices in 8 bits), filled with small random numbers."""
    config, device = setting.config, setting.on.device
    home = torch.device("cpu") if choice.stream_weights else device
    with torch.device("meta"):
        model = S2VTransformer(config).to(torch.bfloat16)
        for number in range(config.num_layers) if choice.fp8_weights else ():
            for part in layer_parts(config, number):
                # Cards without 8-bit products keep a factor per row and make the weights wide for each use.
                replace_linears(model.get_submodule(part), per_row=not can_multiply(device), dtype=torch.bfloat16)
    for name, module in model.named_modules():
        is_layer = name.startswith(("blocks", "audio_injector"))
        module.to_empty(device=home if is_layer else device, recurse=False)
        for tensor in module.parameters(recurse=False):
            # Drawn on the card: a processor takes minutes for sixteen thousand million numbers.
            tensor.data.copy_(torch.empty(tensor.shape, dtype=torch.bfloat16, device=device).normal_(0, 0.02))
        if isinstance(module, Fp8Linear):
            module.weight.copy_(torch.empty(module.weight.shape, dtype=torch.bfloat16, device=device).normal_())
            module.weight_scale.fill_(0.02)
    return model.requires_grad_(requires_grad=False)


def script(config: ModelConfig, size: LatentSize, blocks: int = 1_000_000) -> Script:
    """Return blocks of noise that hear noise."""
    shape = config.in_dim, 3, size.height, size.width
    seeded = torch.Generator().manual_seed(1)
    context = torch.randn(min(60, config.text_len), config.text_dim, generator=seeded)
    features = torch.randn(25, config.audio_dim, BLOCK_FRAMES, generator=seeded)
    return Script(
        size=size,
        levels=noise_levels(4),
        blocks=blocks,
        reference=torch.randn(config.in_dim, 1, size.height, size.width, generator=seeded),
        motion=torch.randn(config.in_dim, MOTION_LATENTS, size.height, size.width, generator=seeded),
        noise=lambda block: torch.randn(shape, generator=torch.Generator().manual_seed(block)),
        features=lambda _: features,
        prompt=lambda _: 0,
        context=lambda _: context,
        distance=lambda block, step: 4 + (block + step) % 27,
    )


def blocks_of(setting: Setting, model: S2VTransformer, choice: Choice, made: Script) -> Iterator[Finished]:
    """Return a run over blocks."""
    device = setting.on.device
    layers = StreamedLayers(model, device) if choice.stream_weights else None
    rings = RingOptions(choice.window, choice.fp8_rings, choice.rings_on_host)
    stage = Stage(model, made.size, range(4), rings=rings, layers=layers, device=device, dtype=torch.bfloat16)
    return _SCHEDULES[choice.schedule](Conductor(model, made), stage)


def _decoder(setting: Setting) -> StreamDecoder:
    """Return a decoder with the released VAE's sizes that has begun."""
    from diffusers import AutoencoderKLWan

    with torch.device(setting.on.device):
        vae: Any = AutoencoderKLWan(base_dim=setting.vae_base, z_dim=16)
    decoder: StreamDecoder = Codec(in_bfloat16(vae)).decoder()
    decoder.prime(torch.randn(16, MOTION_LATENTS, setting.size.height, setting.size.width, device=setting.on.device))
    return decoder


# --- tables ----------------------------------------------------------------------------------------------------------


def _same_everywhere(setting: Setting) -> None:
    """Compare ways that have to agree to the last bit, on this device, with few layers and a small picture."""
    config = replace(setting.config, num_layers=3, audio_inject_layers=(0, 2))
    small = replace(setting, config=config, size=LatentSize(8, 8))
    rows = []
    for fp8 in (False, True):
        plain = Choice(ScheduleName.SEQUENTIAL, fp8_weights=fp8, fp8_rings=fp8)
        torch.manual_seed(3)
        model = network(small, plain)
        state = {name: value.clone() for name, value in model.state_dict().items()}
        expected = [found.latents for found in blocks_of(small, model, plain, script(config, small.size, 7))]
        for title, choice in (
            ("wavefront", replace(plain, schedule=ScheduleName.WAVEFRONT)),
            ("rings in RAM", replace(plain, schedule=ScheduleName.WAVEFRONT, rings_on_host=True)),
            (
                "layers and rings in RAM",
                replace(plain, schedule=ScheduleName.WAVEFRONT, rings_on_host=True, stream_weights=True),
            ),
        ):
            other = network(small, choice)
            for name, value in other.state_dict().items():
                value.copy_(state[name])
            found = [block.latents for block in blocks_of(small, other, choice, script(config, small.size, 7))]
            worst = max(float((one - two).abs().max()) for one, two in zip(found, expected, strict=True))
            rows.append(("fp8" if fp8 else "bf16", title, f"{worst:g}"))
    show(
        f"Largest difference to one step after the other, {len(expected)} blocks (0 is right)",
        ("weights", "way", "off by"),
        rows,
    )


def _ways(setting: Setting, planner: Planner) -> Iterator[Measured]:
    """Yield what fits, both schedules where weights do not travel."""
    for title, schedules, fp8, fp8_rings, on_host, streamed in _WAYS:
        base = Choice(fp8_weights=fp8, fp8_rings=fp8_rings, rings_on_host=on_host, stream_weights=streamed)
        if planner.needs(base)[0] > setting.on.free_bytes():
            print(f"{title}: {planner.needs(base)[0] / GB:.1f} GB are planned, more than is free; left out")
            continue
        model = network(setting, base)
        for schedule in schedules:
            choice = replace(base, schedule=schedule)
            yield _measured(setting, planner, model, title, choice)
        del model


def _measured(setting: Setting, planner: Planner, model: S2VTransformer, title: str, choice: Choice) -> Measured:
    on = setting.on
    on.forget_peak()
    blocks = blocks_of(setting, model, choice, script(setting.config, setting.size))
    decoder = _decoder(setting)
    list(islice(blocks, setting.warm_up))
    seconds = on.seconds(partial(next, blocks), setting.timed)
    decoder.pictures(next(blocks).latents)
    on.wait()
    return Measured(title, choice, seconds, on.peak_bytes(), planner.needs(choice)[0])


def _show_ways(measured: Sequence[Measured], planner: Planner, baseline: float, on: Card) -> None:
    rows = []
    for each in measured:
        tflops = planner.flops_per_block() / each.seconds / 1e12
        rows.append(
            (
                each.title, each.choice.schedule.value, f"{each.seconds:.3f}", f"{BLOCK_FRAMES / each.seconds:.2f}",
                f"{tflops:.3g}", _percent(tflops, baseline), _percent(tflops, on.data_sheet),
                f"{each.peak_bytes / GB:.1f}", f"{each.planned_bytes / GB:.1f}", f"{100 * each.plan_error:+.0f} %",
            )
        )  # fmt: skip
    show(
        f"Transformer, random weights, {on.name}; plain bfloat16 matrix products: {baseline:.3g} TFLOP/s",
        (
            "weights",
            "schedule",
            "s/block",
            "frames/s",
            "TFLOP/s",
            "of products",
            "of data sheet",
            "GB",
            "planned",
            "off",
        ),
        rows,
    )


def _percent(one: float, other: float | None) -> str:
    return "" if other is None else f"{100 * one / other:.0f} %"


def _kernels(setting: Setting) -> str:
    """Compare attention kernels on a block's queries against full rings and the sink; return it in one line."""
    config, size = setting.config, setting.size
    device = setting.on.device
    seen = 4 * size.block_tokens + size.sink_tokens
    queries, keys, values = (
        torch.randn(tokens, config.num_heads, config.head_dim, device=device, dtype=torch.bfloat16)
        for tokens in (size.block_tokens, seen, seen)
    )
    flops = 4 * size.block_tokens * seen * config.dim
    rows = []
    for name in ("auto", *KERNELS):
        try:
            check_kernel(name, config.num_heads, config.head_dim, device, torch.bfloat16)
            with attention_kernel(name):
                took = setting.on.seconds(lambda: attend(queries, keys, values), 5)
        except RuntimeError as error:
            rows.append((name, "not here", str(error).splitlines()[0][:60]))
            continue
        rows.append((name, f"{1000 * took:.2f} ms", f"{flops / took / 1e12:.3g} TFLOP/s"))
    show(f"Attention of {size.block_tokens} tokens to {seen}, {setting.on.name}", ("kernel", "time", "speed"), rows)
    return ", ".join(f"{name} {took}" for name, took, _ in rows)


def _compiled(setting: Setting, planner: Planner) -> str:
    """Compare compiled layers with plain ones, in 8 bits if only those fit; return it in one line."""
    choice = _fitting(setting, planner)
    if choice is None:
        return "does not fit"
    model = network(setting, choice)
    took = []
    for compiled in (False, True):
        if compiled:
            model.compile_layers()
        blocks = blocks_of(setting, model, choice, script(setting.config, setting.size))
        began = time.perf_counter()
        try:
            next(blocks)
        except torch._dynamo.exc.TorchDynamoException as error:
            return f"not here: {str(error).splitlines()[0][:80]}"
        first = time.perf_counter() - began
        list(islice(blocks, setting.warm_up - 1))
        took.append((first, setting.on.seconds(partial(next, blocks), setting.timed)))
        del blocks
        setting.on.free_bytes()
    (_, plain), (first, fast) = took
    show(
        f"torch.compile, {'fp8' if choice.fp8_weights else 'bf16'}, wavefront, {setting.on.name}",
        ("layers", "s/block", "first block"),
        [("plain", f"{plain:.3f}", f"{took[0][0]:.1f} s"), ("compiled", f"{fast:.3f}", f"{first:.1f} s")],
    )
    return (
        f"{plain / fast:.2f} times as fast ({fast:.3f} instead of {plain:.3f} s per block), first block {first:.0f} s"
    )


def _fitting(setting: Setting, planner: Planner) -> Choice | None:
    """Return a wavefront that fits on the card, in 8 bits if only that does."""
    choices = (Choice(fp8_weights=fp8, fp8_rings=True) for fp8 in (False, True))
    return next((choice for choice in choices if planner.needs(choice)[0] <= setting.on.free_bytes()), None)


def _decoding(setting: Setting, planner: Planner) -> str:
    """Compare blocks that are decoded on the side, as in a render, with blocks alone; return it in one line."""
    choice = _fitting(setting, planner)
    if choice is None:
        return "does not fit"
    blocks = blocks_of(setting, network(setting, choice), choice, script(setting.config, setting.size))
    decoder = _decoder(setting)
    list(islice(blocks, setting.warm_up))

    def drawn() -> None:
        with ThreadPoolExecutor(1) as thread:
            for finished in islice(blocks, setting.timed):
                thread.submit(decoder.pictures, finished.latents, launched(finished.latents))

    latents = next(blocks).latents
    alone = setting.on.seconds(partial(next, blocks), setting.timed)
    decoding = setting.on.seconds(partial(decoder.pictures, latents), setting.timed)
    both = setting.on.seconds(drawn, 1) / setting.timed
    return (
        f"{both:.3f} s per block, {100 * (both / alone - 1):+.0f} % beside {alone:.3f} s without; "
        f"decoding alone {1000 * decoding:.0f} ms"
    )


def _rows(measured: Sequence[Measured], planner: Planner, baseline: float, on: Card) -> list[tuple[str, str]]:
    rows = []
    for each in measured:
        tflops = planner.flops_per_block() / each.seconds / 1e12
        sheet = "" if on.data_sheet is None else f" ({_percent(tflops, on.data_sheet)} of its data sheet's bfloat16)"
        verdict = "" if abs(each.plan_error) <= PLANNED_WITHIN else ", more than 10 % off"
        figure = (
            f"{each.seconds:.2f} s per {BLOCK_FRAMES} frames, {BLOCK_FRAMES / each.seconds:.1f} frames/s, "
            f"{tflops:.0f} TFLOP/s: {_percent(tflops, baseline)} of plain matrix products{sheet}; "
            f"{each.peak_bytes / GB:.1f} GB used, {each.planned_bytes / GB:.1f} GB planned{verdict}"
        )
        rows.append((f"{each.title}, {each.choice.schedule.value}", figure))
    return rows


if __name__ == "__main__":
    main(sys.argv[1:])
