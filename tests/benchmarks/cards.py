"""What the benchmarks on graphics cards share: clock, memory, plain matrix products as a baseline, rows in the README.

``--gpu`` measures full-size networks with random weights on the first CUDA card and writes rows into the README's
table, each with card and date. ``--gpu --tiny`` is the same with tiny networks, on a processor where there is no card:
it shows that everything runs, and writes nothing.
"""

from __future__ import annotations

import argparse
import gc
import re
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.benchmarks.table import machine

Answer = TypeVar("Answer")

GB = 10**9
_README = Path(__file__).resolve().parents[2] / "README.md"
_TABLE = re.compile(r"(<!-- cards:[^>]*-->\n\n)(.*?)(\n*<!-- /cards -->)", re.DOTALL)
_HEAD = "| work | figure | card | date |\n| --- | --- | --- | --- |\n"
_DATA_SHEET = {"H100 PCIe": 756.0, "H100": 989.0, "H200": 989.0, "A100": 312.0, "L40S": 362.0, "RTX 4090": 165.0}
"""Dense bfloat16 TFLOP/s as the makers state them (fp8: twice that), by a part of the card's name."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line.

    Attributes:
        gpu: measure on a card.
        tiny: tiny networks, only to see everything run.
    """

    gpu: bool
    tiny: bool


def options(words: Sequence[str], about: str | None) -> Options:
    """Read ``--gpu`` and ``--tiny``."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--gpu", action="store_true", help="measure full-size networks on the first CUDA card")
    parser.add_argument("--tiny", action="store_true", help="tiny networks, on a processor if need be; writes nothing")
    read = parser.parse_args(words)
    return Options(read.gpu, read.tiny)


class Card:
    """The first CUDA card, or the processor in its place.

    Args:
        device: where everything is computed.

    Attributes:
        device: see above.
        name: what it is called.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.name = torch.cuda.get_device_name(device) if self.is_cuda else machine()

    @property
    def is_cuda(self) -> bool:
        """Whether it is a card."""
        return self.device.type == "cuda"

    @property
    def data_sheet(self) -> float | None:
        """Its dense bfloat16 TFLOP/s as stated by its maker, if known here."""
        return next((peak for part, peak in _DATA_SHEET.items() if part in self.name), None) if self.is_cuda else None

    def wait(self) -> None:
        """Wait until everything launched is done."""
        if self.is_cuda:
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object], repeats: int = 3) -> float:
        """Return seconds of one run, mean of several after one to warm up."""
        work()
        self.wait()
        begin = time.perf_counter()
        for _ in range(repeats):
            work()
        self.wait()
        return (time.perf_counter() - begin) / repeats

    def free_bytes(self) -> int:
        """Return free memory, after giving back what nobody uses."""
        gc.collect()
        if not self.is_cuda:
            return 1 << 62
        torch.cuda.empty_cache()
        return torch.cuda.mem_get_info(self.device)[0]

    def forget_peak(self) -> None:
        """Begin to look for the most memory in use."""
        self.free_bytes()
        if self.is_cuda:
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak_bytes(self) -> int:
        """Return the most memory of this process since :meth:`forget_peak`, CUDA context included; 0 on a processor.

        What other programs hold on the card counts as context: let it be idle.
        """
        if not self.is_cuda:
            return 0
        free, total = torch.cuda.mem_get_info(self.device)
        context = total - free - torch.cuda.memory_reserved(self.device)
        return context + torch.cuda.max_memory_allocated(self.device)

    def matrix_tflops(self, *, tiny: bool) -> float:
        """Return TFLOP/s of plain bfloat16 matrix products of 8192 x 8192, the baseline of the same run."""
        side = 256 if tiny else 8192
        one = torch.randn(side, side, device=self.device, dtype=torch.bfloat16)
        took = self.seconds(lambda: one @ one, 2 if tiny else 20)
        return 2 * side**3 / took / 1e12


def operations(work: Callable[[], object]) -> int:
    """Return how many floating point operations a piece of work takes, counted by torch; two per multiplication."""
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def picture_autoencoder(on: Card, *, tiny: bool) -> Any:
    """Return Stable Diffusion's autoencoder with random weights in bfloat16, in evaluation mode."""
    from diffusers import AutoencoderKL

    widths = (32, 32, 32, 32) if tiny else (128, 256, 512, 512)
    with torch.device(on.device):
        network: Any = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=widths,
            layers_per_block=2,
            latent_channels=4,
        )
    return in_bfloat16(network)


def in_bfloat16(network: Any) -> Any:
    """Return a network of the same weights in bfloat16, in evaluation mode."""
    for tensor in (*network.eval().parameters(), *network.buffers()):
        if tensor.is_floating_point():
            tensor.data = tensor.data.bfloat16()
    return network


def finished(job: Generator[float, None, Answer]) -> Answer:
    """Run a drawing to its end and return what it drew."""
    while True:
        try:
            next(job)
        except StopIteration as end:
            answer: Answer = end.value
            return answer


def card(*, tiny: bool) -> Card | None:
    """Return the card to measure on; ``None`` (and a line that says so) where there is none and it has to be one."""
    if torch.cuda.is_available():
        return Card(torch.device("cuda:0"))
    if tiny:
        return Card(torch.device("cpu"))
    print("there is no CUDA card here, so nothing is measured; --gpu --tiny shows whether everything runs")
    return None


def write_rows(rows: Sequence[tuple[str, str]], on: Card, *, tiny: bool) -> None:
    """Print rows of work and figure as the README has them, and put them there unless everything was tiny.

    A row for the same work on the same card takes the place of the older one.
    """
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    made = [f"| {work} | {figure} | {on.name} | {today} |" for work, figure in rows]
    print("\n".join(made))
    if tiny or not on.is_cuda:
        print("tiny networks or no card: the README stays as it is")
        return
    readme = _README.read_text(encoding="utf-8")
    found = _TABLE.search(readme)
    if found is None:
        raise RuntimeError("the README has no place for figures of cards")
    new = {_key(row) for row in made}
    kept = [row for row in found[2].splitlines()[2:] if row.startswith("|") and _key(row) not in new]
    _README.write_text(
        readme[: found.start(2)] + _HEAD + "\n".join([*kept, *made]) + readme[found.end(2) :], encoding="utf-8"
    )
    print(f"written to {_README}")


def _key(row: str) -> tuple[str, str]:
    cells = [cell.strip() for cell in row.split("|")]
    return cells[1], cells[3]
