"""Reading checkpoints: every format, nothing run, nothing passed over."""

from __future__ import annotations

import io
import json
import os
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from engine.models.checkpoints import load_strict, read_state
from engine.models.headers import FileFormat, read_header
from engine.models.identify import kind_of
from engine.refusal import Refused
from tests.golden import key_list

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2, dtype=torch.float16)}


def write(path: Path, how: str, held: object = STATE) -> Path:
    if how == "safetensors":
        save_file(STATE, path)
    else:
        torch.save(held, path, _use_new_zipfile_serialization=how == "archive")
    return path


@pytest.mark.parametrize("how", ["safetensors", "archive", "legacy"])
def test_every_format_gives_the_same_tensors(tmp_path: Path, how: str) -> None:
    path = write(tmp_path / "model.any", how)
    header = read_header(path)
    assert header.format == FileFormat(how)
    assert dict(header.shapes) == {"layer.weight": (2, 3), "layer.bias": (2,)}
    state = read_state(path)
    assert {name: tensor.dtype for name, tensor in state.items()} == {
        "layer.weight": torch.float32,
        "layer.bias": torch.float16,
    }
    assert torch.equal(state["layer.weight"], STATE["layer.weight"])


@pytest.mark.parametrize("how", ["archive", "legacy"])
def test_what_training_programs_put_around_the_tensors_is_taken_off(tmp_path: Path, how: str) -> None:
    held = {"global_step": 7, "state_dict": STATE, "losses": [0.5, 0.25]}
    path = write(tmp_path / "model.pt", how, held)
    assert read_header(path).wrapper == "state_dict"
    assert read_state(path).keys() == STATE.keys()


def test_a_whole_optimiser_free_network_state_is_read(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    path = write(tmp_path / "model.pt", "archive", network.state_dict())
    assert set(read_header(path).shapes) == set(network.state_dict())


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo ran > ran.txt",)


@pytest.mark.parametrize("how", ["archive", "legacy"])
def test_a_pickle_that_wants_to_run_something_is_refused_unrun(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "evil.pt", how, {"state_dict": STATE, "extra": Evil()})
    for read in (read_header, read_state):
        with pytest.raises(Refused) as refused:
            read(path)
        assert refused.value.refusal.code == "models.code"
        assert "system" in str(refused.value)
    assert not (tmp_path / "ran.txt").exists()


def test_a_bare_pickle_with_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.bin"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(Refused) as refused:
        read_header(path)
    assert refused.value.refusal.code == "models.code"


@pytest.mark.parametrize("how", ["safetensors", "archive", "legacy"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_half_a_file_is_said_to_be_incomplete(tmp_path: Path, how: str, share: float) -> None:
    big = {f"layer{number}.weight": torch.zeros(64, 64) for number in range(4)}
    path = tmp_path / "model.any"
    if how == "safetensors":
        save_file(big, path)
    else:
        torch.save(big, path, _use_new_zipfile_serialization=how == "archive")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Refused) as refused:
        read_state(path)
    assert refused.value.refusal.code == "models.truncated"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "pointer"),
        (b"<html><body>Access denied</body></html>" * 9, "not_a_checkpoint"),
        (b"\x80\x04N.", "not_a_checkpoint"),
        (b"PK\x03\x04 this is no archive", "truncated"),
        (b"\xff" * 8 + b"{", "not_a_checkpoint"),
        (b"\x02\0\0\0\0\0\0\0{]", "not_a_checkpoint"),
    ],
)
def test_files_that_are_no_models_are_named_as_what_they_are(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(content)
    with pytest.raises(Refused) as refused:
        read_header(path)
    assert refused.value.refusal.code == f"models.{code}"


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.pt", "missing"), (tmp_path, "not_a_checkpoint")):
        with pytest.raises(Refused) as refused:
            read_header(path)
        assert refused.value.refusal.code == f"models.{code}"


def test_a_strict_load_says_what_is_missing_and_what_the_file_looks_like(tmp_path: Path) -> None:
    with torch.device("meta"):
        network = nn.Linear(3, 2)
    with pytest.raises(Refused) as refused:
        load_strict(
            network,
            {
                "weight": torch.zeros(5, 3),
                "netcnnlip.0.weight": torch.zeros(96, 3, 5, 7, 7),
                "netcnnaud.0.weight": torch.zeros(64, 1, 3, 3),
            },
            path=tmp_path / "x.pt",
            wanted="Test",
        )
    said = str(refused.value)
    for part in ("1 tensors are missing (bias)", "2 tensors do not belong there", "weight [5, 3]≠[2, 3]", "SyncNet v2"):
        assert part in said


def test_a_strict_load_converts_and_tolerates_counters() -> None:
    with torch.device("meta"):
        network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    given = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).state_dict()
    del given["1.num_batches_tracked"]
    load_strict(network, given, path=Path("x"), wanted="Test", dtype=torch.bfloat16)
    assert network[0].weight.dtype == torch.bfloat16
    assert network[1].num_batches_tracked.dtype == torch.int64
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.golden
@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ("latentsync_unet_keys", "latentsync_unet"),
        ("musetalk_unet_keys", "musetalk_unet"),
        ("sd_vae_keys", "sd_vae"),
        ("bisenet_face_parse_keys", "bisenet"),
        ("syncnet_v2_keys", "syncnet_v2"),
        ("stable_syncnet_keys", "stable_syncnet"),
        ("whisper_tiny_openai_keys", "whisper_openai"),
        ("s3fd_joonson_keys", "s3fd"),
        ("s3fd_facealignment_keys", "s3fd"),
    ],
)
def test_official_files_are_recognised_by_their_tensors(keys: str, kind: str) -> None:
    found = kind_of(key_list(keys))
    assert found is not None
    assert found.name == kind


def deep_json() -> bytes:
    """Return a safetensors table that is nested deeper than any parser follows."""
    table = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return len(table).to_bytes(8, "little") + table


def damaged_archive() -> bytes:
    """Return an archive whose directory names a file in bytes that are no text."""
    held = io.BytesIO()
    torch.save(STATE, held)
    data = bytearray(held.getvalue())
    data[data.rfind(b"data.pkl")] = 0xFF
    return bytes(data)


@pytest.mark.parametrize("content", [deep_json(), damaged_archive(), b"\x80\x02\x8a\xff" + b"\xff" * 300])
def test_whatever_bytes_a_file_has_it_is_told_and_the_search_goes_on(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "somebody.pt").write_bytes(content)
    with pytest.raises(Refused) as refused:
        read_header(tmp_path / "somebody.pt")
    assert refused.value.refusal.code in {"models.not_a_checkpoint", "models.truncated"}


def test_a_table_that_contradicts_itself_is_no_model(tmp_path: Path) -> None:
    table = json.dumps({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [-8, 8]}}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(table).to_bytes(8, "little") + table + bytes(16))
    with pytest.raises(Refused) as refused:
        read_state(path)
    assert refused.value.refusal.code == "models.not_a_checkpoint"


def test_a_name_that_was_damaged_inside_the_file_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "model.pt", "legacy")
    data = path.read_bytes()
    key = re.search(rb"X.\0\0\0(\d{5,})", data, re.DOTALL)  # an address: of how many digits depends on the machine
    assert key is not None
    path.write_bytes(data[: key.start(1)] + b"x" + data[key.start(1) + 1 :])
    with pytest.raises(Refused) as refused:
        read_state(path)
    assert refused.value.refusal.code == "models.truncated"


def test_a_changed_network_of_the_right_kind_is_said_to_be_one_in_every_language(tmp_path: Path) -> None:
    state = {"conv_in.weight": torch.zeros(2, 8, 3, 3)}
    state["down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"] = torch.zeros(2, 384)
    with torch.device("meta"):
        network = nn.Linear(3, 2)
    with pytest.raises(Refused) as refused:
        load_strict(network, state, path=tmp_path / "x.pt", wanted="MuseTalk UNet")
    refusal = refused.value.refusal
    assert "It is such a network, but it was changed" in str(refusal)
    chinese = f"{refusal.sentence.text('zh_CN')}{refusal.remedy.text('zh_CN')}"
    assert "缺少 2 个张量（bias, weight）；多出 2 个" in chinese
    assert "missing" not in chinese
