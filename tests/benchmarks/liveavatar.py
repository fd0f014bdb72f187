"""LiveAvatar's transformer at full size with random weights on a card: memory beside the plan, seconds per block.

Needs a CUDA card with room for bfloat16 or 8-bit weights and says so where there is none. What it prints: wavefront
beside sequential, streamed layers beside resident ones, attention kernels, and the share of floating point operations.
"""

from __future__ import annotations

import time
from itertools import islice

import torch

from engine.generation.backends.liveavatar.attention import KERNELS, attention_kernel
from engine.generation.backends.liveavatar.config import LatentSize, ModelConfig
from engine.generation.backends.liveavatar.fp8 import Fp8Linear, replace_linears
from engine.generation.backends.liveavatar.model import S2VTransformer, layer_parts
from engine.generation.backends.liveavatar.planner import GB, Choice, Planner
from engine.generation.backends.liveavatar.sampler import noise_levels
from engine.generation.backends.liveavatar.schedule import Conductor, Schedule, Script, sequential, wavefront
from engine.generation.backends.liveavatar.stage import RingOptions, Stage
from engine.generation.backends.liveavatar.streaming import StreamedLayers
from tests.benchmarks.table import show

WARM_UP, TIMED = 5, 4
"""Blocks: the rings are full after four."""


def network(config: ModelConfig, device: torch.device, layers_device: torch.device, *, fp8: bool) -> S2VTransformer:
    """Return the network in bfloat16 (matrices in 8 bits), filled with small random numbers."""
    with torch.device("meta"):
        model = S2VTransformer(config).to(torch.bfloat16)
        for number in range(config.num_layers) if fp8 else ():
            for part in layer_parts(config, number):
                replace_linears(model.get_submodule(part), per_row=False, dtype=torch.bfloat16)
    for name, module in model.named_modules():
        is_layer = name.startswith(("blocks", "audio_injector"))
        module.to_empty(device=layers_device if is_layer else device, recurse=False)
        for tensor in module.parameters(recurse=False):
            tensor.data.normal_(0, 0.02)
        if isinstance(module, Fp8Linear):
            module.weight.copy_(torch.randn_like(module.weight, dtype=torch.bfloat16))
            module.weight_scale.fill_(0.02)
    return model.requires_grad_(requires_grad=False)


def script(config: ModelConfig, size: LatentSize) -> Script:
    """Return blocks of noise that hear noise."""
    shape = config.in_dim, 3, size.height, size.width
    context, features = torch.randn(60, config.text_dim), torch.randn(25, config.audio_dim, 12)
    return Script(
        size=size,
        levels=noise_levels(4),
        blocks=1_000_000,
        reference=torch.randn(config.in_dim, 1, size.height, size.width),
        motion=torch.randn(config.in_dim, 19, size.height, size.width),
        noise=lambda block: torch.randn(shape, generator=torch.Generator().manual_seed(block)),
        features=lambda _: features,
        prompt=lambda _: 0,
        context=lambda _: context,
        distance=lambda block, step: 4 + (block + step) % 27,
    )


@torch.inference_mode()
def measure(
    model: S2VTransformer, size: LatentSize, choice: Choice, schedule: Schedule, kernel: str
) -> tuple[float, int]:
    """Return seconds per block with full rings, and the most memory that was in use."""
    device = model.device
    torch.cuda.reset_peak_memory_stats(device)
    layers = StreamedLayers(model, device) if choice.stream_weights else None
    rings = RingOptions(choice.window, choice.fp8_rings, choice.rings_on_host)
    stage = Stage(model, size, range(4), rings=rings, layers=layers, device=device, dtype=torch.bfloat16)
    with attention_kernel(kernel):
        blocks = schedule(Conductor(model, script(model.config, size)), stage)
        list(islice(blocks, WARM_UP))
        torch.cuda.synchronize(device)
        begin = time.perf_counter()
        list(islice(blocks, TIMED))
        torch.cuda.synchronize(device)
    return (time.perf_counter() - begin) / TIMED, torch.cuda.max_memory_allocated(device)


def main() -> None:
    """Run what fits, row by row."""
    if not torch.cuda.is_available():
        print("liveavatar: there is no CUDA card here, so nothing is measured")
        return
    device, config, size = torch.device("cuda:0"), ModelConfig(), LatentSize.of_picture(704, 384)
    planner = Planner(config, size)
    rows = []
    for fp8, streamed in ((True, False), (True, True), (False, False), (False, True)):
        choice = Choice(fp8_weights=fp8, fp8_rings=fp8, rings_on_host=streamed, stream_weights=streamed)
        if planner.needs(choice)[0] > torch.cuda.mem_get_info(device)[0]:
            continue
        model = network(config, device, torch.device("cpu") if streamed else device, fp8=fp8)
        for name, schedule, kernel in (
            ("sequential", sequential, "auto"),
            ("wavefront", wavefront, "auto"),
            *((f"wavefront, {kernel}", wavefront, kernel) for kernel in KERNELS if kernel in {"cudnn", "flash"}),
        ):
            seconds, used = measure(model, size, choice, schedule, kernel)
            tflops = planner.flops_per_block() / seconds / 1e12
            rows.append(
                [
                    f"{'fp8' if fp8 else 'bf16'}{', streamed' if streamed else ''}", name, f"{seconds:.2f}",
                    f"{12 / seconds:.2f}", f"{tflops:.0f}", f"{used / GB:.1f}", f"{planner.needs(choice)[0] / GB:.1f}",
                ]
            )  # fmt: skip
        del model
        torch.cuda.empty_cache()
    title = (
        f"transformer at 704x384, random weights, {torch.cuda.get_device_name(device)} (the plan counts the VAE too)"
    )
    columns = ["weights", "schedule", "s per block", "frames/s", "TFLOP/s", "GB used", "GB planned"]
    show(title, columns, rows)


if __name__ == "__main__":
    main()
