"""What channels-last layout and torch.compile bring on a processor, against the same network as it is.

Run ``python -m tests.benchmarks tuning``. It takes MuseTalk's UNet with random weights, tiny and at full size;
compiling the latter takes minutes and 8 GB of memory.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor

from engine.generation.backends.compiling import AS_IS, Tuning
from engine.generation.backends.musetalk.network import unet_for
from tests.benchmarks.table import show

_WIDTHS = {"tiny": (32, 32, 32, 32), "full size": (320, 640, 1280, 1280)}
_TUNINGS = {
    "as it is (baseline)": AS_IS,
    "channels last": Tuning(channels_last=True),
    "compiled": Tuning(compiled=True),
    "both": Tuning(channels_last=True, compiled=True),
}
_REPEATS = {"tiny": 10, "full size": 2}


def main() -> None:
    """Print the table."""
    rows = []
    for size in _WIDTHS:
        baseline = 0.0
        for label, tuning in _TUNINGS.items():
            network = _network(size)
            tuning.apply([network])
            first, _ = _seconds(network)
            runs = [_seconds(network) for _ in range(_REPEATS[size])]
            wall, processor = (min(each[place] for each in runs) for place in (0, 1))
            baseline = baseline or processor
            figures = (
                f"{1000 * wall:.0f} ms",
                f"{1000 * processor:.0f} ms",
                f"{baseline / processor:.2f}",
                f"{first:.1f} s",
            )
            rows.append((f"{size}, {label}", *figures))
            torch.compiler.reset()
    show(
        f"One step of MuseTalk's UNet for two pictures, {torch.get_num_threads()} threads, single precision",
        ("", "a step", "processor time", "times the baseline's speed", "first step"),
        rows,
    )


def _network(size: str) -> Any:
    widths = _WIDTHS[size]
    shapes: dict[str, tuple[int, ...]] = {
        f"down_blocks.{level}.resnets.0.conv1.weight": (width,) for level, width in enumerate(widths)
    }
    shapes |= {"conv_in.weight": (widths[0], 8, 3, 3), "conv_out.weight": (4, widths[0], 3, 3)}
    shapes["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"] = (widths[0], 384)
    network: Any = unet_for(shapes)
    network.to_empty(device="cpu")
    torch.manual_seed(1)
    for parameter in network.parameters():
        parameter.data.normal_(0, 0.02)
    return network.eval()


@torch.inference_mode()
def _seconds(network: Any) -> tuple[float, float]:
    """Return wall and processor seconds of one step for two pictures."""
    latents, tokens = torch.zeros(2, 8, 32, 32), torch.zeros(2, 50, 384)
    began, processor = time.perf_counter(), time.process_time()
    answer: Tensor = network(latents, torch.zeros((), dtype=torch.int64), encoder_hidden_states=tokens).sample
    assert bool(torch.isfinite(answer).all())
    return time.perf_counter() - began, time.process_time() - processor


if __name__ == "__main__":
    main()
