"""The video VAE: published numbers, and a decoder that never stops and never grows."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from engine.generation.backends.liveavatar.vae import Codec, pictures, vae_from
from engine.refusal import Refused
from tests.engine.generation.backends.liveavatar.checkpoint import official_keys, vae_shapes, vae_state
from tests.engine.generation.backends.liveavatar.tiny import randn
from tests.golden import Golden, goldens, worst


@goldens("liveavatar/vae_stream")
def test_encoding_and_streaming_are_the_published_ones(golden: Golden) -> None:
    stored = {name[2:]: value for name, value in golden.tensors.items() if name.startswith("w.")} or golden.state()
    codec = Codec(vae_from(stored, golden.path))
    allowed = golden.tolerance["suggested_max_abs"]
    assert worst(codec.encode(golden.tensors["in.pixels"][0]), golden.tensors["out.latents"][0]) < allowed
    decoder = codec.decoder()
    for number, (start, stop) in enumerate(golden.config["chunks"]):
        found = torch.cat(list(decoder.decode(golden.tensors["in.z"][0, :, start:stop])), dim=1)
        assert worst(found, golden.tensors[f"out.chunk{number}"][0]) < allowed


@pytest.mark.golden
def test_full_size_has_the_tensors_of_the_official_file() -> None:
    assert vae_shapes(96) == official_keys("vae")


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(vae_from(vae_state(), Path("vae.pth")))


def test_the_reference_is_a_still_picture_s_second_latent(codec: Codec) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    reference, motion = codec.reference(picture), codec.motion(picture)
    assert reference.shape == (16, 1, 8, 8)
    assert motion.shape == (16, 19, 8, 8)
    assert worst(reference, motion[:, 1:2]) < 1e-5


def test_decoder_goes_on_in_the_same_memory_and_from_what_was_saved(codec: Codec) -> None:
    latents = randn(3, 16, 13, 4, 4)
    decoder = codec.decoder()
    decoder.prime(latents[:, :7])
    sizes = []
    for frame in decoder.decode(latents[:, 7:10]):
        assert frame.shape == (3, 4, 32, 32)
        sizes.append(sum(kept.numel() for kept in decoder.state().values()))
    assert len(set(sizes)) == 1
    other: Any = codec.decoder()
    other.restore(decoder.state())
    plain = torch.cat(list(decoder.decode(latents[:, 10:])), dim=1)
    assert torch.equal(torch.cat(list(other.decode(latents[:, 10:])), dim=1), plain)


def test_two_decoders_do_not_disturb_each_other(codec: Codec) -> None:
    latents = randn(3, 16, 4, 4, 4)
    one, two = codec.decoder(), codec.decoder()
    alone = torch.cat(list(codec.decoder().decode(latents)), dim=1)
    frames = []
    for number in range(4):
        frames += list(one.decode(latents[:, number : number + 1]))
        list(two.decode(randn(number, 16, 1, 4, 4)))
        codec.encode(torch.zeros(3, 1, 32, 32))
    assert torch.equal(torch.cat(frames, dim=1), alone)


def test_on_a_card_a_block_is_waited_for_where_it_is_decoded(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder's stream waits for the block and keeps its memory; no thread waits. Seen on a stub of a stream."""
    seen: list[object] = []
    decoder: Any = codec.decoder()
    decoder._stream = SimpleNamespace(device=torch.device("cpu"), wait_event=seen.append)
    latents, decode = randn(3, 16, 3, 4, 4), decoder.decode
    monkeypatch.setattr(torch.Tensor, "record_stream", lambda tensor, stream: seen.append((tensor is latents, stream)))
    monkeypatch.setattr(decoder, "decode", lambda given: seen.append("decoded") or decode(given))
    assert len(decoder.pictures(latents, "made")) == 9  # the first latent frame is one picture
    assert seen == ["made", (True, decoder._stream), "decoded"]


def test_pixels_become_pictures() -> None:
    shades = torch.tensor([-1.5, -1.0, 0.0, 1.0, 7.0]).view(1, 5, 1, 1).expand(3, 5, 2, 4)
    made = list(pictures(shades))
    assert [int(picture[0, 0, 0]) for picture in made] == [0, 0, 128, 255, 255]
    assert made[0].shape == (2, 4, 3)
    assert made[0].flags.c_contiguous


def test_another_file_is_refused() -> None:
    with pytest.raises(Refused, match=r"Wan 2\.1"):
        vae_from({"x": torch.zeros(1)}, Path("vae.pth"))
    missing = vae_state()
    del missing["decoder.conv1.bias"]
    with pytest.raises(Refused, match=r"Wan 2\.1"):
        vae_from(missing, Path("vae.pth"))
