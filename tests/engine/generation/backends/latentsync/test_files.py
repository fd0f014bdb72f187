"""Wrong, damaged and malicious checkpoint files: a sentence each, and nothing is run."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.generation.backend import Devices, Picture
from engine.generation.backends.latentsync.engine import LatentSync
from engine.generation.backends.latentsync.files import Files, Version, find_files
from engine.generation.backends.latentsync.networks import load_networks
from engine.generation.backends.placement import Placement
from engine.jobs import run
from engine.models.catalog import entry
from engine.models.finder import Found, Library, library
from engine.models.sd_vae import load_vae
from engine.models.whisper import load_encoder
from engine.refusal import Refused
from tests.engine.generation.backends.latentsync.checkpoints import write_checkpoints
from tests.engine.generation.backends.latentsync.conftest import make_job
from tests.engine.generation.in_memory import Pictures


@pytest.fixture
def own(tmp_path: Path, files: Files) -> Files:
    """Return copies of the files that a test may damage."""
    folder = tmp_path / "LatentSync-1.5"
    shutil.copytree(files.unet.parent, folder)
    vae = folder / "vae" / files.vae.name
    return Files(folder / "latentsync_unet.pt", folder / "whisper" / "tiny.pt", vae, Version.V1_5)


def _refused(files: Files) -> str:
    with pytest.raises(Refused) as refused:
        run(load_networks(files, Placement()))
    refusal = refused.value.refusal
    assert refusal.remedy.text("zh_CN") != refusal.remedy.text("en")
    return refusal.code


def test_a_truncated_file(own: Files) -> None:
    own.unet.write_bytes(own.unet.read_bytes()[:-5000])
    assert _refused(own) in {"models.truncated", "models.not_a_checkpoint"}


def test_a_file_with_code(own: Files, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (str(tmp_path / "run"),)

    own.unet.write_bytes(pickle.dumps({"state_dict": Evil()}))
    assert _refused(own) in {"models.code", "models.not_a_checkpoint"}
    assert not (tmp_path / "run").exists()


def test_a_wrong_file_in_the_right_place(own: Files) -> None:
    shutil.copy(own.whisper, own.unet)
    with pytest.raises(Refused) as refused:
        run(load_networks(own, Placement()))
    assert refused.value.refusal.code == "models.mismatch"
    assert "Whisper" in str(refused.value.refusal)
    shutil.copy(own.vae, own.vae.with_name("unet.safetensors"))
    with pytest.raises(Refused) as refused:
        load_encoder(own.vae)
    assert "VAE" in str(refused.value.refusal)
    with pytest.raises(Refused) as refused:
        load_vae(own.whisper)
    assert refused.value.refusal.code == "models.mismatch"


def test_a_tensor_too_few(own: Files) -> None:
    state = torch.load(own.unet, weights_only=True)
    del state["state_dict"]["conv_out.bias"]
    torch.save(state, own.unet)
    with pytest.raises(Refused) as refused:
        run(load_networks(own, Placement()))
    assert "conv_out.bias" in str(refused.value.refusal)


def test_an_autoencoder_with_the_old_names_is_the_same(own: Files) -> None:
    state = load_file(own.vae)
    old = {
        name.replace(".to_q.", ".query.")
        .replace(".to_k.", ".key.")
        .replace(".to_v.", ".value.")
        .replace(".to_out.0.", ".proj_attn."): tensor
        for name, tensor in state.items()
    }
    assert old.keys() != state.keys()
    path = own.vae.with_name("old.safetensors")
    save_file(old, path)
    pictures = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        found, expected = (load_vae(each).encode(pictures).latent_dist.mean for each in (path, own.vae))
    assert torch.equal(found, expected)


def test_both_versions_are_told_by_their_size() -> None:
    both = tuple(
        Found(Path(name), (name,), is_official_size=True)
        for name in ("latentsync-1.5-unet", "latentsync-1.6-unet", "whisper-tiny", "sd-vae")
    )
    found = Library(both)
    assert find_files(found, Version.AUTO).version is Version.V1_6
    assert find_files(found, Version.AUTO).resolution == 512
    assert find_files(found, Version.V1_5).resolution == 256
    with pytest.raises(Refused) as refused:
        find_files(Library((both[1], *both[2:])), Version.V1_5)
    assert refused.value.refusal.code == "latentsync.other_version"
    assert entry("latentsync-1.6-unet").size != entry("latentsync-1.5-unet").size


def test_a_file_that_could_be_either_has_to_be_named(tmp_path: Path) -> None:
    folder = write_checkpoints(tmp_path / "models")
    (folder / "LatentSync-1.5").rename(folder / "LatentSync")
    found = library([folder])
    with pytest.raises(Refused) as refused:
        find_files(found, Version.AUTO)
    assert refused.value.refusal.code == "latentsync.unknown_version"
    assert find_files(found, Version.V1_6).resolution == 512
    assert find_files(found, Version.V1_5).resolution == 256


@pytest.mark.usefixtures("models")
def test_the_other_version_is_refused_before_anything_is_read(pictures: list[Picture]) -> None:
    source = Pictures(pictures[:4])
    engine = LatentSync()
    with pytest.raises(Refused) as refused:
        run(engine.load(make_job(source, parameters={"version": "1.6"}), Devices()))
    assert refused.value.refusal.code == "latentsync.other_version"
    assert not source.asked
