"""What full-size networks take on a card, counted on shapes without one: memory beside the plan, and operations.

Nothing here is measured on a card: kernels' work space, the CUDA context and fragments between tensors are not in it,
and operations say nothing about speed. ``python -m tests.benchmarks.counted`` takes a few minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.generation.backends.liveavatar.config import LatentSize, ModelConfig
from engine.generation.backends.liveavatar.planner import CONTEXT_BYTES, Choice, Planner, ScheduleName
from tests.benchmarks.cards import GB
from tests.benchmarks.table import show
from tests.engine.generation.backends.liveavatar.full_size import Counted, decoder, transformer

_WAYS = (
    ("bf16, one step after the other", Choice(ScheduleName.SEQUENTIAL)),
    ("bf16, wavefront", Choice()),
    ("bf16, wavefront, window of 3 blocks", Choice(window=3)),
    ("bf16, wavefront, window of 2 blocks", Choice(window=2)),
    ("bf16, rings fp8", Choice(fp8_rings=True)),
    ("fp8, rings bf16", Choice(fp8_weights=True)),
    ("fp8, rings fp8", Choice(fp8_weights=True, fp8_rings=True)),
    ("bf16, rings in RAM", Choice(rings_on_host=True)),
    ("bf16, layers and rings in RAM", Choice(rings_on_host=True, stream_weights=True)),
    (
        "fp8, layers and rings in RAM, rings fp8",
        Choice(fp8_weights=True, fp8_rings=True, rings_on_host=True, stream_weights=True),
    ),
    ("bf16, a quarter of the layers", Choice(ScheduleName.LAYER_SPLIT, 4, own_decoder=True)),
    ("bf16, one of four steps", Choice(ScheduleName.PIPELINE, 4, own_decoder=True)),
)
_SHOWN = 8


def main() -> None:
    """Count LiveAvatar's transformer in all ways, and its decoder, and print it."""
    config, size = ModelConfig(), LatentSize.of_picture(704, 384)
    planner = Planner(config, size)
    rows: list[Sequence[str]] = []
    wide: dict[tuple[str, str], int] = {}
    for title, choice in _WAYS:
        counted = transformer(choice, size, config)
        planned = planner.needs(replace(choice, own_decoder=True))[0] - CONTEXT_BYTES
        rows.append(_row(title, counted, planned))
        wide |= counted.wide
    counted = decoder(size)
    rows.append(_row("video VAE, decoding", counted, planner.decoder_bytes()))
    wide |= counted.wide
    show(
        "LiveAvatar at full size, 704×384, counted on shapes, not measured on a card",
        ("what", "GB", "GB planned", "off", "TFLOP per 12 frames"),
        rows,
    )
    largest = sorted(wide.items(), key=lambda item: -item[1])[:_SHOWN]
    show(
        "Largest tensors in single precision",
        ("where", "operation", "MB"),
        [(where, operation, f"{size / 1e6:.0f}") for (where, operation), size in largest],
    )


def _row(title: str, counted: Counted, planned: int) -> Sequence[str]:
    off = f"{100 * (planned / counted.card_bytes - 1):+.1f} %"
    return title, f"{counted.card_bytes / GB:.1f}", f"{planned / GB:.1f}", off, f"{counted.operations / 1e12:.0f}"


if __name__ == "__main__":
    main()
