"""The NumPy towers say what the PyTorch ones that were trained said."""

from __future__ import annotations

import io

import numpy as np
import pytest

from engine.sync.rows import MouthRows, sound_rows
from engine.sync.towers import read_model, shipped_model

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def pair():
    """Random towers in both forms, sharing weights rounded to half precision."""
    from training.towers import Towers
    from training.train import pack

    torch.manual_seed(3)
    towers = [Towers(8, 80, channels=16, outputs=6).eval() for _ in range(2)]
    rng = np.random.default_rng(1)
    bases = {
        "points_basis": rng.normal(size=(183, 4)).astype(np.float32),
        "patches_basis": rng.normal(size=(384, 4)).astype(np.float32),
    }
    for tower in towers:
        for parameter in tower.parameters():
            parameter.data = (parameter.data + 0.05 * torch.randn_like(parameter)).half().float()
    members = [{name: value.detach().numpy() for name, value in tower.state_dict().items()} | bases for tower in towers]
    buffer = io.BytesIO()
    np.savez(buffer, **pack(members, zero_ms=0.0, tables={}))
    buffer.seek(0)
    return towers, read_model(dict(np.load(buffer)))


def test_scores_equal_the_trained_ones(pair) -> None:
    towers, model = pair
    rng = np.random.default_rng(2)
    rows, reach = 60, 20
    seen = rng.random(rows) > 0.2
    heard = np.ones(rows + 2 * reach, bool)
    heard[:10] = False
    mouth = MouthRows(
        rng.normal(size=(rows, 183)).astype(np.float32), rng.normal(size=(rows, 384)).astype(np.float32), seen
    )
    sound = rng.normal(size=(rows + 2 * reach, 80)).astype(np.float32) * heard[:, None]

    points = (mouth.points - mouth.points[seen].mean(0)) @ model.points_basis
    patches = (mouth.patches - mouth.patches[seen].mean(0)) @ model.patches_basis
    components = np.concatenate([points, patches], 1) * seen[:, None]
    with torch.no_grad():
        expected = np.mean(
            [
                tower(
                    torch.from_numpy(components)[None],
                    torch.from_numpy(seen.astype(np.float32))[None, :, None],
                    torch.from_numpy(sound)[None],
                    torch.from_numpy(heard.astype(np.float32))[None, :, None],
                )[0].numpy()
                for tower in towers
            ],
            axis=0,
        )
    mouth_embedding, sound_embedding = model.embed_mouth(mouth), model.embed_sound(sound, heard)
    scores = [float((mouth_embedding * sound_embedding[lag : lag + rows]).sum()) for lag in range(2 * reach + 1)]
    # float32 sums in another order, and the bases rounded to half precision before both sides used them
    np.testing.assert_allclose(scores, expected[:-1], rtol=2e-3, atol=2e-3)
    assert model.null == pytest.approx(expected[-1], abs=1e-3)


def test_the_shipped_weights_are_small_and_complete() -> None:
    from importlib.resources import files

    model = shipped_model()
    assert len(files("resources").joinpath("sync", "towers.npz").read_bytes()) < 1_000_000
    assert set(model.calibration) == {"seconds", "doubts", "right", "sigma_scale", "sigma_floor_ms"}
    assert (np.diff(model.calibration["right"], axis=1) >= -1e-9).all()


def test_level_and_colour_of_the_recording_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    bands = rng.gamma(1.0, 0.05, (400, 40)).astype(np.float32)
    heard = np.ones(400, bool)
    plain = sound_rows(bands, heard)
    # a gain is taken out exactly; the floor moves with it
    np.testing.assert_allclose(sound_rows(bands * 20, heard), plain, atol=1e-3)
