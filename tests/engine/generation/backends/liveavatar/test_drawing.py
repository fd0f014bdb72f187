"""Ten thousand seconds take the memory of ten; what was made is given in order, once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.generation.backends.liveavatar import audio
from engine.generation.backends.liveavatar.drawing import Drawing, blocks_for
from engine.generation.backends.liveavatar.schedule import Finished
from engine.generation.backends.liveavatar.vae import Picture
from engine.generation.machine import resident_bytes


class Counting:
    """A network that only counts its blocks, asking for the sound of each."""

    def __init__(self, blocks: int, features: audio.VoiceFeatures | None = None) -> None:
        self._blocks = blocks
        self._features = features

    def blocks(self) -> Iterator[Finished]:
        for block in range(self._blocks):
            if self._features is not None:
                self._features.block(block)
            yield Finished(block, torch.full((1, 3, 8, 8), float(block)))

    def save(self, folder: Path) -> None:
        """Nothing is remembered."""

    def restore(self, folder: Path) -> None:
        """Nothing is remembered."""

    def stop(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is held."""


class Numbering:
    """A decoder whose pictures say which one of their block they are."""

    def pictures(self, _: Tensor, ready: None) -> list[Picture]:
        assert ready is None  # nothing is on a card
        return [np.full((64, 64, 3), number, np.uint8) for number in range(12)]


def drawn(blocks: int, lead_in: int, folder: Path, features: audio.VoiceFeatures | None = None) -> Any:
    return Drawing(Counting(blocks, features), Numbering(), lead_in, folder)  # type: ignore[arg-type]  # a stub decoder


def numbers(drawing: Any, first: int, count: int) -> list[int]:
    return [int(each[0, 0, 0]) for each in drawing.pictures(first, count) if isinstance(each, np.ndarray)]


def test_pictures_come_in_order_behind_the_lead_in(tmp_path: Path) -> None:
    drawing = drawn(blocks_for(50, 3), 3, tmp_path)
    found = numbers(drawing, 0, 20) + numbers(drawing, 20, 30)
    assert found == [(n + 3) % 12 for n in range(50)]
    with pytest.raises(ValueError, match="gone"):
        numbers(drawing, 10, 1)
    drawing.close()


def test_pictures_before_the_wanted_ones_are_made_unseen(tmp_path: Path) -> None:
    drawing = drawn(5, 0, tmp_path)
    assert numbers(drawing, 30, 5) == [6, 7, 8, 9, 10]
    drawing.close()


class Waiting(Numbering):
    """A decoder that does nothing before it may."""

    def __init__(self) -> None:
        self.may = threading.Event()

    def pictures(self, latents: Tensor, ready: None) -> list[Picture]:
        assert self.may.wait(30)
        return super().pictures(latents, ready)


class Failing(Counting):
    """A network that fails after three blocks, and then lets the decoder go on."""

    def __init__(self, decoder: Waiting) -> None:
        super().__init__(9)
        self._decoder = decoder

    def blocks(self) -> Iterator[Finished]:
        for finished in super().blocks():
            if finished.block == 2:
                self._decoder.may.set()
            if finished.block == 3:
                raise RuntimeError("the card is gone")
            yield finished


def test_what_was_made_before_a_failure_is_given_first(tmp_path: Path) -> None:
    """With so little to save, every moment is one to save in."""
    decoder = Waiting()
    drawing: Any = Drawing(Failing(decoder), decoder, 0, tmp_path, weight=1)  # type: ignore[arg-type]  # a stub decoder
    pictures = (int(each[0, 0, 0]) for each in drawing.pictures(0, 100) if isinstance(each, np.ndarray))
    assert list(islice(pictures, 36)) == [n % 12 for n in range(36)]
    drawing.state()  # there is nothing to save any more, and that is not what is told
    with pytest.raises(RuntimeError, match="gone"):
        next(pictures)
    drawing.close()


def test_a_slow_decoder_holds_the_network_back(tmp_path: Path) -> None:
    """A network on several cards may be faster than the decoder; what waits between them must not grow."""
    decoder = Waiting()
    made: list[int] = []

    class Quick(Counting):
        def blocks(self) -> Iterator[Finished]:
            for finished in super().blocks():
                made.append(finished.block)
                yield finished

    drawing: Any = Drawing(Quick(50), decoder, 0, tmp_path)  # type: ignore[arg-type]  # a stub decoder
    pictures = drawing.pictures(0, 600)
    for _ in range(3):  # each takes as long as the patience of the drawing
        assert not isinstance(next(pictures), np.ndarray)
    assert len(made) <= 3  # two wait for the decoder, one is made
    decoder.may.set()
    assert len([each for each in pictures if isinstance(each, np.ndarray)]) == 600
    assert len(made) == 50
    drawing.close()


@pytest.mark.parametrize(("frames", "lead_in", "blocks"), [(1, 3, 1), (9, 3, 1), (10, 3, 2), (100, 3, 9), (96, 0, 8)])
def test_no_block_is_wasted(frames: int, lead_in: int, blocks: int) -> None:
    assert blocks_for(frames, lead_in) == blocks


@pytest.mark.slow
def test_ten_thousand_seconds_take_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(_: Any, wave: Tensor) -> Tensor:
        return torch.zeros(25, audio.row_count(len(wave)), 8)

    monkeypatch.setattr(audio, "hidden_states", silent)
    network = SimpleNamespace(
        config=SimpleNamespace(num_hidden_layers=24, hidden_size=8), parameters=lambda: iter([torch.zeros(1)])
    )
    seconds = 10_000
    features = audio.VoiceFeatures(
        network, lambda start, stop: np.zeros(stop - start, np.float32), seconds * 16_000, audio.Level(0.0, 1.0),
        Fraction(25), 3,
    )  # fmt: skip
    frames = seconds * 25
    drawing = drawn(blocks_for(frames, 3), 3, tmp_path, features)
    given, held = 0, 0
    for each in drawing.pictures(0, frames):
        if isinstance(each, np.ndarray):
            given += 1
            if given == frames // 20:
                held = resident_bytes()
    assert given == frames
    # One picture in a hundred kept (12 KB each) would be 30 MB; what the allocator keeps back varies by a few.
    assert resident_bytes() - held < 16 << 20
    drawing.close()
    features.close()
