"""Finding, checking and importing model files in the folders that people have."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from engine.jobs import run
from engine.models import finder
from engine.models.catalog import Entry, catalog, entry, kinds
from engine.models.checking import Checked, State, check
from engine.models.finder import find, identify, library
from engine.models.importing import import_models
from engine.models.places import hub_cache, remember_folders, remembered_folders
from engine.refusal import Refusal, Refused
from tests.engine.models.conftest import Write


def official(monkeypatch: pytest.MonkeyPatch, name: str, path: Path) -> None:
    """Let a small file be the official one: size and checksum of the catalog are made its own."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    changed = tuple(
        replace(each, size=path.stat().st_size, sha256=digest) if each.name == name else each for each in catalog()
    )
    monkeypatch.setattr(finder, "catalog", lambda: changed)
    monkeypatch.setattr("engine.models.checking.entry", lambda wanted: next(e for e in changed if e.name == wanted))


def test_the_catalog_is_sound() -> None:
    entries = catalog()
    assert len({each.name for each in entries}) == len({each.place for each in entries}) == len(entries)
    known = {kind.name for kind in kinds()}
    assert all(each.kind in known | {""} for each in entries)
    assert all(bool(each.repository) == bool(each.remote) and each.licence and each.source for each in entries)
    assert all(each.engines or each.useful_to for each in entries)
    # What takes the place of a needed file is of use to the same engine.
    by_name = {each.name: each for each in entries}
    assert all(set(by_name[e.instead_of].engines) <= {*e.useful_to, *e.engines} for e in entries if e.instead_of)
    # Whole checksums, each with the size it goes with: a shortened one hides a slip of the pen.
    assert {len(each.sha256) for each in entries} <= {0, 64}
    assert all(each.size for each in entries if each.sha256)


@pytest.mark.parametrize(
    ("place", "kind", "name"),
    [
        ("LatentSync/checkpoints/whisper/tiny.pt", "whisper_openai", "whisper-tiny"),
        ("MuseTalk/models/musetalkV15/unet.pth", "musetalk_unet", "musetalk-1.5-unet"),
        ("MuseTalk/models/musetalk/pytorch_model.bin", "musetalk_unet", "musetalk-1.0-unet"),
        ("MuseTalk/models/face-parse-bisent/79999_iter.pth", "bisenet", "face-parsing"),
        ("MuseTalk/models/whisper/pytorch_model.bin", "whisper_hf", "whisper-tiny-hf"),
        ("flat/my syncnet.model", "syncnet_v2", "syncnet-v2"),
        (
            "ComfyUI/custom_nodes/LatentSync-1.6/checkpoints/latentsync_unet.pt",
            "latentsync_unet",
            "latentsync-1.6-unet",
        ),
        (
            "hub/models--ByteDance--LatentSync-1.5/snapshots/32a20d29/latentsync_unet.pt",
            "latentsync_unet",
            "latentsync-1.5-unet",
        ),
    ],
)
def test_files_are_found_where_people_have_them(tmp_path: Path, write: Write, place: str, kind: str, name: str) -> None:
    path = write(tmp_path / place, kind)
    found = library([tmp_path])
    assert found.path(name) == path
    assert [each.names for each in found.found] == [(name,)]
    assert found.problems == ()


def test_every_kind_and_the_old_format_are_told_by_content(tmp_path: Path, write: Write) -> None:
    for kind in {each.name for each in kinds()}:
        wanted = {each.name for each in catalog() if each.kind == kind}
        found = identify(write(tmp_path / kind / "x.pth", kind, legacy=True))
        assert (set() if found is None else set(found.names)) == wanted


def test_a_version_that_cannot_be_told_is_not_guessed(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "checkpoints" / "latentsync_unet.pt", "latentsync_unet")
    found = identify(path)
    assert found is not None
    assert set(found.names) == {"latentsync-1.5-unet", "latentsync-1.6-unet"}
    # Only when nothing better is there, and then for either version.
    assert library([tmp_path]).path("latentsync-1.5-unet") == path


def test_size_tells_the_version_whatever_the_folder_says(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "LatentSync-1.6" / "latentsync_unet.pt", "latentsync_unet")
    official(monkeypatch, "latentsync-1.5-unet", path)
    found = identify(path)
    assert found is not None
    assert found.names == ("latentsync-1.5-unet",)
    assert found.is_official_size


def test_the_wrong_file_in_the_right_place_is_a_problem(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "musetalkV15" / "unet.pth", "sd_unet")
    found = library([tmp_path])
    assert found.path("musetalk-1.5-unet") is None
    assert [problem.code for problem in found.problems] == ["models.wrong"]
    assert "Stable Diffusion UNet" in str(found.problems[0])


def test_a_model_in_the_place_of_another_is_used_as_what_it_is_and_told(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path / "LatentSync-1.5" / "latentsync_unet.pt", "syncnet_v2")
    found = library([tmp_path])
    assert found.path("syncnet-v2") == path
    assert [problem.code for problem in found.problems] == ["models.wrong"]
    assert "LatentSync" in str(found.problems[0])
    assert "SyncNet v2" in str(found.problems[0])


@pytest.mark.parametrize(
    "place",
    [
        "sd/unet/diffusion_pytorch_model.safetensors", "sdxl/vae/diffusion_pytorch_model.bin",
        "sd/text_encoder/pytorch_model.bin", "bert/pytorch_model.bin",
    ],
)  # fmt: skip
def test_the_parts_of_other_programs_models_are_no_problem(tmp_path: Path, write: Write, place: str) -> None:
    write(tmp_path / place, "sd_unet")
    assert library([tmp_path]) == finder.Library()


def test_the_official_file_comes_before_others_of_its_kind(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "a" / "vae" / "diffusion_pytorch_model.safetensors", "sd_vae")
    path = write(tmp_path / "b" / "sd-vae" / "diffusion_pytorch_model.bin", "sd_vae", legacy=True)
    official(monkeypatch, "sd-vae-bin", path)
    monkeypatch.setattr(finder, "_known", {})
    assert library([tmp_path]).path("sd-vae", "sd-vae-bin") == path


def test_a_larger_whisper_is_not_taken_for_the_tiny_one(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "whisper" / "base.pt", "whisper_larger")
    tiny = write(tmp_path / "whisper" / "tiny.pt", "whisper_openai")
    assert library([tmp_path]).path("whisper-tiny") == tiny
    write(tiny, "whisper_larger")
    found = library([tmp_path])
    assert found.found == ()
    assert ["another size than tiny" in str(problem) for problem in found.problems] == [True]


def test_half_a_file_in_the_right_place_is_a_problem_and_elsewhere_is_nothing(tmp_path: Path, write: Write) -> None:
    whole = write(tmp_path / "musetalkV15" / "unet.pth", "musetalk_unet")
    whole.write_bytes(whole.read_bytes()[:-50])
    shutil.copy(whole, tmp_path / "somebody.pth")
    found = library([tmp_path])
    assert [problem.code for problem in found.problems] == ["models.truncated"]
    assert found.found == ()


def test_links_are_followed_but_not_for_ever(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "disk" / "syncnet_v2.model", "syncnet_v2")
    folder = tmp_path / "checkout" / "models"
    folder.mkdir(parents=True)
    (folder / "linked").symlink_to(tmp_path / "disk")
    (folder / "loop").symlink_to(tmp_path / "checkout")
    assert len(library([tmp_path / "checkout"]).found) == 1


def test_folders_are_remembered_and_searched_with_the_hub_cache(tmp_path: Path, write: Write, models: Path) -> None:
    write(tmp_path / "mine" / "syncnet_v2.model", "syncnet_v2")
    write(hub_cache() / "models--openai--whisper-tiny" / "snapshots" / "abc" / "pytorch_model.bin", "whisper_hf")
    assert library().path("syncnet-v2") is None
    remember_folders([tmp_path / "mine", tmp_path / "mine"])
    assert remembered_folders() == (tmp_path / "mine",)
    found = library()
    assert found.path("syncnet-v2") == tmp_path / "mine" / "syncnet_v2.model"
    assert found.path("whisper-tiny-hf") is not None
    (models / "folders.json").write_text("{broken")
    assert remembered_folders() == ()


def test_a_file_is_checked_against_what_was_published(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "syncnet_v2.model", "syncnet_v2")
    other = run(check(path))
    assert isinstance(other, Checked)
    assert other.state is State.OTHER_SIZE
    assert not other.is_good

    official(monkeypatch, "syncnet-v2", path)
    monkeypatch.setattr(finder, "_known", {})
    right = run(check(path))
    assert isinstance(right, Checked)
    assert right.state is State.OFFICIAL
    assert right.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "unchanged" in right.verdict.text()

    data = bytearray(path.read_bytes())
    place = data.find(bytes(64))  # inside of a tensor of zeros
    data[place + 32] = 1
    path.write_bytes(data)
    spoilt = run(check(path))
    assert isinstance(spoilt, Checked)
    assert spoilt.state is State.CHANGED


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.bin")
    assert library([tmp_path]).found == ()
    answer = run(check(tmp_path / "model.bin"))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.not_a_checkpoint"


def test_folders_that_lead_into_each_other_are_entered_once(tmp_path: Path, write: Write) -> None:
    for number in range(12):
        (tmp_path / f"folder{number}").mkdir()
    for number, other in product(range(12), repeat=2):
        (tmp_path / f"folder{number}" / f"link{other}").symlink_to(tmp_path / f"folder{other}")
    write(tmp_path / "folder7" / "syncnet_v2.model", "syncnet_v2")
    assert len(library([tmp_path]).found) == 1
    assert sum(1 for _ in find([tmp_path])) <= 1 + 12 + 12 * 12 + 1  # each folder, each link to one, the file


def test_a_link_to_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.bin").symlink_to(tmp_path / "gone.bin")
    assert [problem.code for problem in library([tmp_path]).problems] == ["models.missing"]


def test_a_folder_that_cannot_be_looked_into_is_told(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "open" / "syncnet_v2.model", "syncnet_v2")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(place: str) -> object:
        if Path(place).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refusing)  # the administrator, who may run this, may look into everything
    answer = library([tmp_path, tmp_path / "none"])
    assert [problem.code for problem in answer.problems] == ["models.unreadable_folder"]
    assert "closed" in str(answer.problems[0])
    assert len(answer.found) == 1


def test_checking_what_is_no_model_says_so(tmp_path: Path, write: Write) -> None:
    answer = run(check(write(tmp_path / "sd.pth", "sd_unet")))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.unknown"
    assert "Stable Diffusion" in str(answer)
    missing = run(check(tmp_path / "none.pth"))
    assert isinstance(missing, Refusal)


def test_importing_copies_whole_files_into_the_official_layout(tmp_path: Path, write: Write, models: Path) -> None:
    source = write(tmp_path / "stick" / "syncnet_v2.model", "syncnet_v2")
    write(tmp_path / "stick" / "musetalkV15" / "unet.pth", "musetalk_unet")
    copied = run(import_models(tmp_path / "stick"))
    assert isinstance(copied, tuple)
    assert models / entry("syncnet-v2").place in copied
    assert (models / "MuseTalk" / "musetalkV15" / "unet.pth").exists()
    assert (models / entry("syncnet-v2").place).read_bytes() == source.read_bytes()
    assert library([models]).path("syncnet-v2") is not None
    assert not list(models.rglob("*.part"))


def test_a_stopped_import_leaves_nothing(tmp_path: Path, write: Write, models: Path) -> None:
    write(tmp_path / "stick" / "syncnet_v2.model", "syncnet_v2")
    job = import_models(tmp_path / "stick")
    assert next(progress for progress in job if progress.stage == "copying")
    assert list(models.rglob("*.part"))
    job.close()
    assert not [path for path in models.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("folder", "code"), [("none", "no_folder"), ("empty", "nothing_found")])
def test_importing_nothing_says_why(tmp_path: Path, folder: str, code: str) -> None:
    (tmp_path / "empty").mkdir()
    answer = run(import_models(tmp_path / folder))
    assert isinstance(answer, Refusal)
    assert answer.code == f"models.{code}"


def test_importing_a_file_of_uncertain_version_says_what_to_do(tmp_path: Path, write: Write, models: Path) -> None:
    write(tmp_path / "stick" / "x.pt", "latentsync_unet")
    answer = run(import_models(tmp_path / "stick"))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.uncertain"
    (tmp_path / "stick").rename(tmp_path / "LatentSync-1.6")
    assert run(import_models(tmp_path / "LatentSync-1.6")) == (models / entry("latentsync-1.6-unet").place,)


def test_a_full_disk_is_said_before_copying(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "stick" / "syncnet_v2.model", "syncnet_v2")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 9, 1))
    answer = run(import_models(tmp_path / "stick"))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.disk"
    assert "0.0 GB are free" in str(answer)


def test_a_folder_where_nothing_can_be_written_or_removed_is_refused(
    tmp_path: Path, write: Write, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is mounted for reading; the administrator, who may run this, has no other."""
    write(tmp_path / "stick" / "syncnet_v2.model", "syncnet_v2")

    def read_only(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "write_text", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    monkeypatch.setattr(Path, "replace", read_only)
    with pytest.raises(Refused) as refused:
        remember_folders([tmp_path / "stick"])
    assert refused.value.refusal.code == "models.unwritable"
    answer = run(import_models(tmp_path / "stick"))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.unwritable"
    assert str(models) in str(answer)


def test_entries_are_looked_up_by_name() -> None:
    assert isinstance(entry("sd-vae"), Entry)
    with pytest.raises(KeyError):
        entry("nothing")
    with pytest.raises(Refused):
        identify(Path("nowhere.pth"))
