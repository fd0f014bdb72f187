"""The network computed with NumPy says what the one that was trained with PyTorch said."""

from __future__ import annotations

import numpy as np
import torch

from engine.generation.backends.draft import hearing
from engine.generation.backends.draft.articulation import OUTPUTS, read_model, shipped_model
from training.articulation import Net
from training.towers import KERNELS


def test_parameters_equal_the_trained_ones() -> None:
    torch.manual_seed(5)
    net = Net(channels=16).eval()
    for parameter in net.parameters():
        parameter.data = (parameter.data + 0.05 * torch.randn_like(parameter)).half().float()
    random = np.random.default_rng(6)
    mean, spread, gain = (random.uniform(0.5, 1.5, OUTPUTS).astype(np.float32) for _ in range(3))
    model = read_model(
        {key: value.detach().numpy().astype(np.float16) for key, value in net.state_dict().items()}
        | {
            "directions": shipped_model().basis.directions,
            "dilations": np.array([dilation for _, dilation in KERNELS]),
            "mean": mean,
            "spread": spread,
            "gain": gain,
            "mouth_width": np.array(0.8, np.float32),
        }
    )
    rows = random.normal(size=(120, hearing.WIDTH)).astype(np.float32)
    with torch.no_grad():
        expected = net(torch.from_numpy(rows)[None])[0].numpy()
    values, shut = model(rows)
    # float32 sums in another order
    np.testing.assert_allclose(values, (expected[:, :OUTPUTS] * spread + mean) * gain, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(shut, 1 / (1 + np.exp(-expected[:, OUTPUTS])), atol=1e-5)
    assert np.ptp(values, axis=0).min() > 0.05
