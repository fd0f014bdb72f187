"""What LatentSync and MuseTalk take on a card, counted on shapes without one, beside what is planned; and operations.

Run ``python -m tests.benchmarks memory``. Nothing here is measured on a card: live tensors of the published networks
are counted, with the copies that convolutions may make in another layout, and half a GiB is added for CUDA itself,
which no tensor shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from engine.generation.backends.cards import GIB
from engine.generation.backends.latentsync import memory as latentsync
from engine.generation.backends.musetalk import memory as musetalk
from engine.generation.spec import Offload, Precision
from tests.benchmarks.table import show
from tests.engine.generation.backends.latentsync.counted import count as count_latentsync
from tests.engine.generation.backends.musetalk.counted import count as count_musetalk

_RUNTIME = GIB // 2
_WAITING = {Offload.NONE: "all on the card", Offload.MODEL: "networks take turns", Offload.LAYERS: "layer by layer"}
_MUSETALK = musetalk.Work(849_947_844, 83_653_863, is_exact=False, is_parsed=True)


def main() -> None:
    """Print the table."""
    show(
        "Peak memory of a card at full size: counted, not measured on a card",
        ("what", "GiB counted", "GiB planned", "off", "TFLOP per picture"),
        [*_latentsync(), *_musetalk()],
    )


def _latentsync() -> Iterator[Sequence[str]]:
    """Count a window of 16 pictures; operations are those of 20 steps with guidance and the feature cache."""
    for resolution, title in ((256, "LatentSync 1.5"), (512, "LatentSync 1.6")):
        half = latentsync.Work(resolution, Precision.BF16, guided=True)
        ladder = tuple(latentsync.arrangements(Offload.AUTO))
        exact = replace(half, precision=Precision.FP32)
        for work, arrangement in (*((half, each) for each in ladder), (exact, ladder[1])):
            counted = count_latentsync(work, arrangement)
            ways = [_WAITING[arrangement.offload], f"autoencoder by {arrangement.vae_batch}"]
            ways += ["predictions one by one"] * arrangement.sequential
            operations = counted.encoding + 7 * counted.predicting + 13 * counted.cached + counted.decoding
            planned = arrangement.card_bytes(work)
            yield _row(f"{title}, {work.precision}, {', '.join(ways)}", counted.peak_bytes, planned, operations / 16)


def _musetalk() -> Iterator[Sequence[str]]:
    for work, batch, offload in (
        *((_MUSETALK, 8, each) for each in _WAITING),
        (_MUSETALK, 1, Offload.NONE),
        (_MUSETALK, 64, Offload.NONE),
        (replace(_MUSETALK, is_exact=True), 8, Offload.NONE),
    ):
        counted = count_musetalk(work, batch, offload)
        precision = Precision.FP32 if work.is_exact else Precision.BF16
        title = f"MuseTalk, {precision}, {_WAITING[offload]}, {batch} pictures at a time"
        yield _row(title, counted.peak_bytes, work.card_bytes(batch, offload), counted.operations)


def _row(title: str, tensors: int, planned: int, operations: float) -> Sequence[str]:
    counted = tensors + _RUNTIME
    off = f"{100 * (planned / counted - 1):+.0f} %"
    return title, f"{counted / GIB:.2f}", f"{planned / GIB:.2f}", off, f"{operations / 1e12:.2f}"


if __name__ == "__main__":
    main()
