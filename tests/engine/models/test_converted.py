"""Checkpoints that are kept in the precision they are used in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from engine.models import converted
from engine.models.converted import read_converted
from engine.places import cache_folder

STATE = {
    "weight": torch.arange(12.0).reshape(3, 4) / 7,
    "scalar": torch.tensor(0.5),
    "counter": torch.tensor([1, 2, 3]),
    "odd": torch.arange(5.0).half(),
}


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLOSIVE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "model.pth"
    torch.save({"state_dict": STATE}, path)
    return path


def kept() -> list[Path]:
    return [path for path in cache_folder().rglob("*") if path.is_file()]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_the_second_time_the_kept_numbers_are_read_and_they_are_the_same(
    checkpoint: Path, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read_converted(checkpoint, dtype)
    assert len(kept()) == 1
    monkeypatch.setattr(converted, "read_state", lambda _path: pytest.fail("read again"))
    second = read_converted(checkpoint, dtype)
    for name, tensor in STATE.items():
        expected = tensor.to(dtype) if tensor.is_floating_point() else tensor
        for found in (first[name], second[name]):
            assert found.dtype == expected.dtype
            assert torch.equal(found, expected)


def test_another_file_in_its_place_is_read(checkpoint: Path) -> None:
    read_converted(checkpoint, torch.float16)
    torch.save({"weight": torch.ones(2)}, checkpoint)
    assert torch.equal(read_converted(checkpoint, torch.float16)["weight"], torch.ones(2).half())


def test_what_was_kept_and_is_damaged_is_made_again(checkpoint: Path) -> None:
    read_converted(checkpoint, torch.float16)
    kept()[0].write_bytes(b"rubbish")
    assert torch.equal(read_converted(checkpoint, torch.float16)["counter"], STATE["counter"])
    assert kept()[0].stat().st_size > 100


def test_a_full_disk_is_no_failure(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10, 10, 0))
    assert torch.equal(read_converted(checkpoint, torch.float32)["weight"], STATE["weight"])
    assert kept() == []
