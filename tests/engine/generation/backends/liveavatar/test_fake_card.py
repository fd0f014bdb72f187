"""On a card, every tensor is where it is computed with, no stream runs ahead of another, and no pass waits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.generation.backends.liveavatar import ranks, streaming, vae
from engine.generation.backends.liveavatar.config import WeightFormat
from engine.generation.backends.liveavatar.denoiser import load_local
from engine.generation.backends.liveavatar.files import Files
from engine.generation.backends.liveavatar.planner import Choice, ScheduleName
from engine.generation.backends.liveavatar.weights import Transformer
from engine.jobs import run
from tests.engine.generation.backends.liveavatar import tiny as small
from tests.engine.generation.backends.liveavatar.checkpoint import write_official
from tests.engine.generation.backends.liveavatar.tiny import SIZE, script
from tests.fake_card import fake_card

CONFIG = replace(small.CONFIG, num_layers=3, audio_inject_layers=(0, 2))
STEPS = 2
BLOCKS = 4
"""A ring of two wraps, the reference changes at block 2 and the prompt at block 3."""
CARD = torch.device("cuda", 0)


WAYS = [
    Choice(rings_on_host=True, stream_weights=True),
    *(
        pytest.param(choice, marks=pytest.mark.slow)
        for choice in (
            Choice(),
            Choice(fp8_rings=True),
            Choice(ScheduleName.SEQUENTIAL),
            Choice(ScheduleName.SEQUENTIAL, rings_on_host=True),
            Choice(fp8_rings=True, rings_on_host=True),
        )
    ),
]


@pytest.mark.parametrize(
    "way", WAYS, ids=lambda way: f"{way.schedule}-{way.fp8_rings}-{way.rings_on_host}-{way.stream_weights}"
)
def test_every_way_is_right_on_a_card(weights: Read, monkeypatch: pytest.MonkeyPatch, way: Choice) -> None:
    render(weights, monkeypatch, way)


@pytest.mark.slow
@pytest.mark.parametrize("weight_format", [WeightFormat.FP8, WeightFormat.FP8_ROWS])
@pytest.mark.parametrize("streamed", [False, True])
def test_eight_bits_are_right_on_a_card(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, weight_format: WeightFormat, streamed: bool
) -> None:
    """Their layouts are those that the products of torch take on a card."""
    weights = Read(Files.in_folder(tiny), weight_format)
    render(weights, monkeypatch, Choice(fp8_weights=True, stream_weights=streamed))


def render(weights: Read, monkeypatch: pytest.MonkeyPatch, way: Choice) -> None:
    # Fake tensors do not notice that their data is exchanged; another parameter is the same to the network.
    monkeypatch.setattr(streaming._Place, "point_to", replace_tensor)
    made = script(BLOCKS, STEPS, anchor_block=2, prompt=lambda block: int(block >= 3), config=CONFIG)
    with fake_card(monkeypatch) as card:
        known = replace(made, reference=card.from_tensor(made.reference), motion=card.from_tensor(made.motion))
        denoiser = run(load_local(weights, known, replace(way, window=2), "cuda:0", torch.bfloat16, "auto"))
        before = card.host_waits
        blocks = list(denoiser.blocks())
        assert [finished.block for finished in blocks] == list(range(BLOCKS))
        assert {finished.latents.device for finished in blocks} == {CARD}
        assert card.host_waits == before


@pytest.mark.slow
@pytest.mark.parametrize("own_card", [False, True])
def test_pictures_are_decoded_beside_the_network(
    weights: Read, tiny: Path, monkeypatch: pytest.MonkeyPatch, own_card: bool
) -> None:
    """On the network's card in a stream of its own, or on another one."""
    card_of_decoder = "cuda:1" if own_card else "cuda:0"
    network = vae.load_vae(Files.in_folder(tiny).vae)
    monkeypatch.setattr(vae, "pictures", lambda pixels: [pixels.cpu()])
    made = script(BLOCKS, STEPS, anchor_block=2, config=CONFIG)
    with fake_card(monkeypatch) as card:
        card.put(network, card_of_decoder, torch.bfloat16)
        codec = vae.Codec(network)
        picture = np.zeros((8 * SIZE.height, 8 * SIZE.width, 3), np.uint8)
        reference, motion = codec.reference(picture), codec.motion(picture)
        known = replace(made, reference=reference.cpu(), motion=motion.cpu())
        denoiser = run(load_local(weights, known, Choice(window=2), "cuda:0", torch.bfloat16, "auto"))
        decoder = codec.decoder()
        decoder.prime(motion)
        before = card.host_waits
        shown = [decoder.pictures(latents, vae.launched(latents)) for _, latents in denoiser.blocks()]
        assert [len(each) for each in shown] == [3] * BLOCKS
        assert card.host_waits == before + 3 * BLOCKS  # for the pictures of each latent frame, in the decoder's stream
        decoder.restore(decoder.state())


class Wire:
    """In the place of a chain of ranks: what is sent lies here until it is received, as it was announced."""

    def __init__(self, rank: int, sent: list[deque[Any]], others: Callable[[], None]) -> None:
        self.rank = rank
        self.ranks = len(sent)
        self.is_last = rank == self.ranks - 1
        self._sent = sent
        self._others = others

    def send(self, tensors: Sequence[torch.Tensor], *, back: bool = False) -> None:
        self._sent[0 if back else self.rank + 1].extend(tensors)

    def receive(self, shape: Sequence[int], dtype: torch.dtype, *, back: bool = False) -> torch.Tensor:
        del back  # only the first one gets something from there
        if not self.waits:
            self._others()
        tensor: torch.Tensor = self._sent[self.rank].popleft()
        assert (tuple(tensor.shape), tensor.dtype) == (tuple(shape), dtype)
        return tensor.to(f"cuda:{self.rank}")

    def send_header(self, *numbers: int) -> None:
        self._sent[self.rank + 1].append([*numbers, 0, 0, 0])

    @property
    def waits(self) -> bool:
        """Whether something waits to be received."""
        return bool(self._sent[self.rank])

    def receive_header(self) -> list[int]:
        header: list[int] = self._sent[self.rank].popleft()
        return header


@pytest.mark.slow
@pytest.mark.parametrize("on_host", [False, True])
def test_divided_layers_are_right_on_their_cards(weights: Read, monkeypatch: pytest.MonkeyPatch, on_host: bool) -> None:
    """Two cards, and what is sent is what is waited for."""
    made = script(BLOCKS, STEPS, anchor_block=2, prompt=lambda block: int(block >= 3), config=CONFIG)
    monkeypatch.setattr(ranks, "Transformer", lambda *_: weights)
    monkeypatch.setattr(streaming._Place, "point_to", replace_tensor)
    choice = Choice(ScheduleName.LAYER_SPLIT, 2, window=2, rings_on_host=on_host, stream_weights=on_host)
    job = ranks.RankJob(
        files=weights.files, weight_format=weights.format, choice=choice, devices=("cuda:0", "cuda:1"),
        dtype=torch.bfloat16, kernel="auto", compiled=False, meeting=Path("unused"), size=SIZE, levels=made.levels,
        blocks=BLOCKS, anchor_block=2, reference=made.reference.numpy(), motion=made.motion.numpy(),
    )  # fmt: skip
    inputs = {
        block: ranks.BlockInputs(
            made.noise(block).numpy(), made.features(block).numpy(), made.prompt(block),
            made.context(made.prompt(block)).numpy(), tuple(made.distance(block, step) for step in range(STEPS)),
        )
        for block in range(BLOCKS)
    }  # fmt: skip
    sent: list[deque[Any]] = [deque(), deque()]
    with fake_card(monkeypatch):

        def follow() -> None:
            while wires[1].waits:
                follower._pass_on(wires[1].receive_header())

        wires = [Wire(rank, sent, follow) for rank in range(2)]
        leader, follower = (
            ranks._SplitRank(wire, job, torch.device("cuda", wire.rank))  # type: ignore[arg-type]  # a stub chain
            for wire in wires
        )
        with torch.inference_mode():
            leader._feed(inputs)
            blocks = list(leader._blocks())
        assert [finished.block for finished in blocks] == list(range(BLOCKS))
        assert {finished.latents.device for finished in blocks} == {CARD}
        assert not any(sent)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card")
    write_official(folder, CONFIG)
    return folder


@pytest.fixture(scope="module")
def weights(tiny: Path) -> Read:
    return Read(Files.in_folder(tiny))


class Read(Transformer):
    """Tensors that are read already: no file can be read while all tensors are fake."""

    def __init__(self, files: Files, weight_format: WeightFormat = WeightFormat.PLAIN) -> None:
        super().__init__(files, weight_format, keep=False)
        self.check()
        self._layers = [super(Read, self).layer(number) for number in range(self.config.num_layers)]
        self._ends = super().ends()

    def layer(self, number: int) -> dict[str, torch.Tensor]:
        return self._layers[number]

    def ends(self) -> dict[str, torch.Tensor]:
        return self._ends


def replace_tensor(place: streaming._Place, tensor: torch.Tensor) -> None:
    if place.name in place.owner._parameters:
        place.owner._parameters[place.name] = nn.Parameter(tensor, requires_grad=False)
    else:
        place.owner._buffers[place.name] = tensor
