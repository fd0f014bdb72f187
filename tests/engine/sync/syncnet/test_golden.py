"""Both scorers against the reference's numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.models.checkpoints import load_strict
from engine.sync.syncnet.features import mel, mfcc
from engine.sync.syncnet.network import COLUMNS, PICTURES, SyncNet
from engine.sync.syncnet.offsets import conclude, distances
from engine.sync.syncnet.stable import StableSyncNet, faces_window, sound_window
from tests.golden import Golden, goldens, key_list, worst


def filled(network: torch.nn.Module, golden: Golden) -> None:
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    load_strict(network, golden.state(shapes=shapes), path=golden.path, wanted="test")
    network.eval()


def enlarged(frames: np.ndarray) -> np.ndarray:
    """Return the pictures that are stored with every 8x8 pixels as one."""
    return frames.repeat(8, axis=1).repeat(8, axis=2)


def padded(sounds: np.ndarray, reach: int) -> np.ndarray:
    """Return points with zeros before and after, where the reference knows no sound."""
    return np.pad(sounds, ((reach, reach), (0, 0)))


@goldens("syncnet/syncnet_v2")
def test_syncnet_from_pictures_and_sound_to_offset(golden: Golden) -> None:
    arrays, limits = golden.arrays, golden.tolerance["suggested"]
    cepstra = mfcc(arrays["wave"])
    assert worst(cepstra, arrays["mfcc"]) < limits["mfcc"]

    with torch.device("meta"):
        network = SyncNet()
    filled(network, golden)
    frames = enlarged(arrays["frames_low"])[..., ::-1].astype(np.float32)  # to BGR
    windows = golden.config["windows"]
    assert windows == min(len(frames), len(arrays["wave"]) // 640) - PICTURES
    lips = [
        network.see(torch.from_numpy(frames[i : i + PICTURES].transpose(3, 0, 1, 2).copy())[None])
        for i in range(windows)
    ]
    sounds = [
        network.hear(torch.from_numpy(cepstra[:, 4 * i : 4 * i + COLUMNS].astype(np.float32))[None, None])
        for i in range(windows)
    ]
    lip, sound = torch.cat(lips).numpy(), torch.cat(sounds).numpy()
    assert worst(lip, arrays["lip_embeddings"]) < limits["embeddings"]
    assert worst(sound, arrays["audio_embeddings"]) < limits["embeddings"]

    matrix = distances(lip, padded(sound, golden.config["vshift"]))
    assert worst(matrix, arrays["distances"]) < limits["distances"]
    answer, expected = conclude(matrix.mean(0)), golden.sidecar["expected"]
    assert answer.leads_by == expected["offset"]
    assert answer.confidence == pytest.approx(expected["confidence"], abs=limits["distances"])
    assert answer.distance == pytest.approx(expected["min_distance"], abs=limits["distances"])


@goldens("syncnet/offsets")
def test_the_offset_arithmetic_and_its_sign(golden: Golden) -> None:
    reach = golden.config["vshift"]
    for case in golden.sidecar["expected"]:
        name = case["name"]
        if f"lip.{name}" in golden.arrays:
            matrix = distances(golden.arrays[f"lip.{name}"], padded(golden.arrays[f"audio.{name}"], reach))
            assert worst(matrix, golden.arrays[f"distances.{name}"]) < 1e-4
            # The picture shows what was heard so many frames before: the sound is early.
            after = case["picture_shows_event_this_many_frames_after_the_sound"]
            assert conclude(matrix.mean(0)).offset_ms == -40.0 * after
        else:
            matrix = golden.arrays[name]
        answer = conclude(matrix.mean(0))
        assert answer.leads_by == case["offset"]
        assert answer.confidence == pytest.approx(case["confidence"], abs=1e-4)
        assert answer.distance == pytest.approx(case["min_distance"], abs=1e-4)


@goldens("syncnet/stable_syncnet", slow=True)
def test_stable_syncnet(golden: Golden) -> None:
    arrays, limits = golden.arrays, golden.tolerance["suggested"]
    spectrogram = mel(arrays["wave"].astype(np.float32) / 32768)
    assert worst(spectrogram, arrays["mel"]) < limits["mel"]
    with torch.device("meta"):
        network = StableSyncNet()
    filled(network, golden)
    faces = enlarged(arrays["frames_low"])
    starts = [int(start) for start in arrays["starts"]]
    seen = network.see(torch.stack([faces_window(faces[start : start + 16]) for start in starts]))
    windows = [sound_window(spectrogram, start) for start in starts]
    heard = network.hear(torch.stack([window for window in windows if window is not None]))
    assert worst(seen, arrays["visual"]) < limits["embeddings"]
    assert worst(heard, arrays["audio"]) < limits["embeddings"]
    assert worst((seen * heard).sum(1), arrays["cosine"]) < limits["cosine"]


@pytest.mark.golden
@pytest.mark.parametrize(("network", "keys"), [(SyncNet, "syncnet_v2_keys"), (StableSyncNet, "stable_syncnet_keys")])
def test_every_tensor_of_the_official_file_has_its_place(network: type[torch.nn.Module], keys: str) -> None:
    with torch.device("meta"):
        state = network().state_dict()
    assert {name: tuple(tensor.shape) for name, tensor in state.items()} == key_list(keys)
