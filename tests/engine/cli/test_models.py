"""``plosive models``, and measuring with SyncNet, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from engine.cli.commands import run_command
from engine.words import use_language

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Return ``say(*arguments)``: exit code and everything that was said, with folders of models of its own."""
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: str) -> tuple[int, str]:
        use_language("en")
        code = run_command(arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """A folder with a file that looks like SyncNet v2's."""
    folder = tmp_path / "stick"
    folder.mkdir()
    state = {"netcnnlip.0.weight": torch.zeros(96, 3, 5, 7, 7), "netcnnaud.0.weight": torch.zeros(64, 1, 3, 3)}
    torch.save(state, folder / "syncnet_v2.model")
    return folder


def records(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


def test_list_names_every_engine_and_where_its_files_are(say: Say, stick: Path) -> None:
    code, said = say("models", "list")
    assert code == 0
    assert all(word in said for word in ("latentsync", "musetalk", "liveavatar", "✗ musetalk-1.5-unet", "OpenRAIL"))
    assert say("models", "find", str(stick))[0] == 0
    assert str(stick / "syncnet_v2.model") in say("models", "list")[1]
    listed = {record["name"]: record for record in records(say("models", "list", "--json")[1])}
    assert listed["syncnet-v2"]["path"] == str(stick / "syncnet_v2.model")
    assert listed["sd-vae"]["path"] is None


def test_a_file_that_takes_the_place_of_a_needed_one_leaves_nothing_missing(say: Say, tmp_path: Path) -> None:
    assert "✗ latentsync-1.6-unet" in say("models", "list")[1]
    place = tmp_path / "models" / "LatentSync-1.5" / "latentsync_unet.pt"
    place.parent.mkdir(parents=True)
    marks = {"conv_in.weight": (8, 13, 3, 3)}
    marks |= {"down_blocks.0.motion_modules.0.temporal_transformer.proj_in.weight": (2, 2)}
    marks |= {"down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": (2, 384)}
    torch.save({name: torch.zeros(shape) for name, shape in marks.items()}, place)
    said = say("models", "list")[1]
    assert "✓ latentsync-1.5-unet" in said
    assert "– latentsync-1.6-unet" in said


def test_a_download_that_stopped_is_told(say: Say, tmp_path: Path) -> None:
    place = tmp_path / "models" / "LatentSync-1.6" / "latentsync_unet.pt.part"
    place.parent.mkdir(parents=True)
    place.write_bytes(bytes(30_000_000))
    said = say("models", "list")[1]
    assert "✗ latentsync-1.6-unet" in said
    assert "0.03 GB of a download are here; plosive models download latentsync-1.6-unet goes on." in said


def test_find_says_what_a_folder_holds_and_remembers_it(say: Say, stick: Path, tmp_path: Path) -> None:
    code, said = say("models", "find", str(stick))
    assert code == 0
    assert "✓ syncnet-v2" in said
    (tmp_path / "empty").mkdir()
    code, said = say("models", "find", str(tmp_path / "empty"))
    assert code == 3
    assert "no model files" in said
    assert say("models", "find", str(tmp_path / "none"))[0] == 3


def test_check_compares_with_what_was_published(say: Say, stick: Path, tmp_path: Path) -> None:
    code, said = say("models", "check")
    assert code == 0
    assert "No model files were found" in said
    code, said = say("models", "check", str(stick / "syncnet_v2.model"))
    assert code == 1
    assert "not the official file" in said
    code, said = say("models", "check", "--json", str(stick / "syncnet_v2.model"))
    assert records(said)[0]["state"] == "other_size"
    other = tmp_path / "other.pth"
    other.write_bytes(b"<html>")
    code, said = say("models", "check", str(other))
    assert code == 3
    assert "not a model file" in said


def test_import_copies_into_our_own_folder(say: Say, stick: Path, tmp_path: Path) -> None:
    code, said = say("models", "import", str(stick))
    assert code == 0
    copy = tmp_path / "models" / "LatentSync-1.5" / "auxiliary" / "syncnet_v2.model"
    assert str(copy) in said
    assert copy.exists()


def test_what_cannot_be_downloaded_says_where_to_get_it(say: Say) -> None:
    code, said = say("models", "download", "face-parsing")
    assert code == 3
    assert "79999_iter.pth" in said
    assert say("models", "download", "nothing of that name")[0] == 3


@pytest.mark.parametrize("detector", ["syncnet", "stable-syncnet"])
def test_measuring_with_a_scorer_needs_its_file_and_draws_nothing(say: Say, tmp_path: Path, detector: str) -> None:
    code, said = say("measure", "--detector", detector, "--plot", "x.png", "clip.mp4")
    assert code == 3
    assert "no curve" in said
    code, said = say("measure", "--detector", detector, str(tmp_path / "clip.mp4"))
    assert code == 3
    assert "plosive models" in said
    assert detector in said


def test_trying_an_engine_without_its_files_says_what_is_missing(say: Say, tmp_path: Path) -> None:
    code, said = say("models", "try", "musetalk", "-o", str(tmp_path / "trial.mp4"))
    assert code == 3
    assert "MuseTalk" in said
    assert not (tmp_path / "trial.mp4").exists()
