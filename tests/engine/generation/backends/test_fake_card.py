"""On a card, every tensor of LatentSync and MuseTalk is where it is computed with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine.generation.backends.latentsync import sampler
from engine.generation.backends.latentsync.files import Files, Version
from engine.generation.backends.latentsync.networks import Networks as LatentSyncNetworks
from engine.generation.backends.latentsync.networks import load_networks
from engine.generation.backends.latentsync.sampler import Condition, Sampling, sample_window
from engine.generation.backends.musetalk.network import Networks as MuseTalkNetworks
from engine.generation.backends.musetalk.network import load_unet
from engine.generation.backends.placement import Placement
from engine.jobs import run
from engine.models.sd_vae import load_vae
from tests.fake_card import FakeCard, fake_card

CARD = torch.device("cuda", 0)
FORMATS = pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
FRAMES, STEPS, SIDE = 3, 2, 64


def place_fakes(monkeypatch: pytest.MonkeyPatch, card: FakeCard) -> None:
    def place(placement: Placement, networks: Sequence[nn.Module]) -> None:
        for network in networks:
            card.put(network, placement.device, placement.dtype)

    monkeypatch.setattr(Placement, "place", place)


@pytest.mark.slow
@FORMATS
@pytest.mark.parametrize("sequential", [False, True])
def test_latentsync_is_right_on_a_card(
    both_checkpoints: Path, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, sequential: bool
) -> None:
    base = both_checkpoints / "LatentSync-1.5"
    vae = base / "vae" / "diffusion_pytorch_model.safetensors"
    files = Files(base / "latentsync_unet.pt", base / "whisper" / "tiny.pt", vae, Version.V1_5)
    loaded = run(load_networks(files, Placement()))

    class Scheduler:
        """Does no steps: diffusers' own look numbers up, of which fakes have none."""

        init_noise_sigma = 1.0

        def set_timesteps(self, steps: int, device: torch.device) -> None:
            self.timesteps = torch.zeros(steps, dtype=torch.int64, device=device)

        def scale_model_input(self, latents: Tensor, _: Tensor) -> Tensor:
            return latents

        def step(self, predicted: Tensor, _: Tensor, latents: Tensor) -> SimpleNamespace:
            return SimpleNamespace(prev_sample=latents - predicted)

    monkeypatch.setattr(sampler, "_scheduler", lambda _: Scheduler())
    with fake_card(monkeypatch) as card:
        place_fakes(monkeypatch, card)
        networks = LatentSyncNetworks(loaded.unet, loaded.vae, Placement("cuda:0", dtype), 2)  # type: ignore[arg-type]
        pictures, noise = torch.zeros(FRAMES, 3, SIDE, SIDE), torch.zeros(FRAMES, 4, SIDE // 8, SIDE // 8)
        with torch.inference_mode():
            latents = torch.cat(list(networks.encoded(pictures, noise)))
        assert (latents.device, latents.dtype) == (CARD, torch.float32)
        mask = torch.zeros(SIDE // 8, SIDE // 8, device=CARD)
        condition = Condition(mask, latents, latents, torch.zeros(FRAMES, 50, 384))
        sampling = Sampling(STEPS, guidance=1.5, feature_cache=True, sequential=sequential)
        drawn = list(sample_window(networks.unet, noise[0].to(CARD), condition, sampling))
        assert {(each.device, each.dtype) for each in drawn} == {(CARD, torch.float32)}
        shown = list(networks.decoded(drawn[-1]))
        assert {(each.device.type, each.dtype) for each in shown} == {("cpu", torch.float32)}


@pytest.mark.slow
@FORMATS
def test_musetalk_is_right_on_a_card(
    both_checkpoints: Path, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype
) -> None:
    models = both_checkpoints / "MuseTalk"
    unet = load_unet(models / "musetalkV15" / "unet.pth", torch.float32)
    vae = load_vae(models / "sd-vae" / "diffusion_pytorch_model.bin")
    with fake_card(monkeypatch) as card:
        place_fakes(monkeypatch, card)
        networks = MuseTalkNetworks(vae, unet, Placement("cuda:0", dtype))
        crop = np.zeros((256, 256, 3), np.uint8)
        latents = networks.encode(crop, torch.zeros(2, 4, 32, 32)).float().cpu()
        predicted = networks.predict(torch.stack([latents] * FRAMES), torch.zeros(FRAMES, 50, 384))
        assert (predicted.device, predicted.dtype) == (CARD, dtype)
        assert networks.decode(predicted).device.type == "cpu"
