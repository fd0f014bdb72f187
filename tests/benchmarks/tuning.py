"""What channels-last layout and torch.compile bring on a processor, against the same network as it is.

Run ``python -m tests.benchmarks tuning``. It takes MuseTalk's UNet with random weights, tiny and at full size, in
single precision and in bfloat16; compiling the large one takes minutes and 8 GB of memory.
"""

from __future__ import annotations

import os
import time
from itertools import product
from typing import Any

import torch
from torch import Tensor

from engine.generation.backends.compiling import AS_IS, Tuning
from engine.generation.backends.musetalk.network import unet_for
from tests.benchmarks.table import show

_WIDTHS = {"tiny": (32, 32, 32, 32), "full size": (320, 640, 1280, 1280)}
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
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
    for size, dtype in product(_WIDTHS, _DTYPES):
        baseline = 0.0
        for label, tuning in _TUNINGS.items():
            network = _network(size, _DTYPES[dtype])
            tuning.apply([network])
            first, compiling = _seconds(network)
            runs = [_seconds(network) for _ in range(_REPEATS[size])]
            wall, processor = (min(each[place] for each in runs) for place in (0, 1))
            baseline = baseline or processor
            figures = (
                f"{1000 * wall:.0f} ms",
                f"{1000 * processor:.0f} ms",
                f"{baseline / processor:.2f}",
                f"{first:.1f} s",
                f"{compiling:.1f} s",
            )
            rows.append((f"{size}, {dtype}, {label}", *figures))
            torch.compiler.reset()
    show(
        f"One step of MuseTalk's UNet for two pictures, {torch.get_num_threads()} threads",
        ("", "a step", "processor time", "times the baseline's speed", "first step", "its processor time"),
        rows,
    )


def _network(size: str, dtype: torch.dtype) -> Any:
    widths = _WIDTHS[size]
    shapes: dict[str, tuple[int, ...]] = {
        f"down_blocks.{level}.resnets.0.conv1.weight": (width,) for level, width in enumerate(widths)
    }
    shapes |= {"conv_in.weight": (widths[0], 8, 3, 3), "conv_out.weight": (4, widths[0], 3, 3)}
    shapes["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"] = (widths[0], 384)
    network: Any = unet_for(shapes)
    network.to(dtype).to_empty(device="cpu")
    torch.manual_seed(1)
    for parameter in network.parameters():
        parameter.data.normal_(0, 0.02)
    return network.eval()


@torch.inference_mode()
def _seconds(network: Any) -> tuple[float, float]:
    """Return wall and processor seconds of one step for two pictures; compilers are children that it waits for."""
    latents = torch.zeros(2, 8, 32, 32, dtype=network.dtype)
    tokens = torch.zeros(2, 50, 384, dtype=network.dtype)
    began, processor = time.perf_counter(), _processor_seconds()
    answer: Tensor = network(latents, torch.zeros((), dtype=torch.int64), encoder_hidden_states=tokens).sample
    assert bool(torch.isfinite(answer).all())
    return time.perf_counter() - began, _processor_seconds() - processor


def _processor_seconds() -> float:
    """Return processor time of this process and of the children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


if __name__ == "__main__":
    main()
