"""The denoiser: names and shapes of the published checkpoint, and the published numbers."""

from __future__ import annotations

import pytest
import torch

from engine.generation.backends.latentsync.unet import LatentSyncUNet, UNetConfig
from tests.engine.generation.backends.latentsync.networks import unet_of
from tests.golden import Golden, goldens, key_list, worst


@pytest.mark.golden
def test_the_full_network_has_every_key_of_the_checkpoint() -> None:
    listed = key_list("latentsync_unet_keys")
    with torch.device("meta"):
        network = LatentSyncUNet()
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == listed
    assert UNetConfig.of(listed) == UNetConfig()


@goldens("latentsync/unet_tiny")
def test_a_prediction_is_the_published_one(golden: Golden) -> None:
    _predict(golden)


@goldens("latentsync/unet_full", slow=True)
def test_a_prediction_of_the_full_network_is_the_published_one(golden: Golden) -> None:
    _predict(golden)


def _predict(golden: Golden) -> None:
    case = golden.sidecar["case"]
    state = golden.state(shapes=key_list("latentsync_unet_keys"))
    unet = unet_of(state)
    inputs = golden.inputs()
    with torch.inference_mode():
        noise, deep = unet(inputs["x"], case["timestep"], inputs["audio"])
    assert worst(noise, golden.tensors["out"]) <= golden.tolerance["suggested_max_abs"]

    # The same step again with its own deep features is the same prediction: the cache cuts the network in the right
    # place. Float32 on the same machine, so only the order of additions could differ.
    with torch.inference_mode():
        again, _ = unet(inputs["x"], case["timestep"], inputs["audio"], deep)
    assert worst(again, noise) <= 1e-6


def test_frames_of_a_window_depend_on_each_other() -> None:
    torch.manual_seed(0)
    unet = LatentSyncUNet(UNetConfig(channels=(32, 32))).eval()
    sample, audio = torch.randn(1, 13, 4, 8, 8), torch.randn(1, 4, 50, 384)
    changed = sample.clone()
    changed[:, :, 3] += 1
    with torch.inference_mode():
        before, after = (unet(each, 1, audio)[0] for each in (sample, changed))
        alone = unet(sample[:, :, :1], 1, audio[:, :1])[0]
    assert worst(before[:, :, 0], after[:, :, 0]) > 1e-3
    assert worst(before[:, :, :1], alone) > 1e-3


def test_a_square_need_not_be_halved_evenly() -> None:
    torch.manual_seed(0)
    unet = LatentSyncUNet(UNetConfig(channels=(32, 32, 32))).eval()
    with torch.inference_mode():
        noise, deep = unet(torch.randn(1, 13, 2, 6, 10), 1, torch.randn(1, 2, 50, 384))
    assert noise.shape == (1, 4, 2, 6, 10)
    assert deep.shape == (2, 32, 6, 10)
