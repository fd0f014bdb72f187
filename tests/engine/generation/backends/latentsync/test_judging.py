"""Measuring with StableSyncNet: the sign, what cannot be measured, and its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.generation.backends.latentsync.judging import StableJudge, measure_stable_syncnet
from engine.jobs import run
from engine.refusal import Refusal
from engine.sync.result import Kind
from engine.sync.syncnet.measure import measure_with
from tests.engine.sync.conftest import talking  # noqa: F401 - a fixture


class Plain:
    """A stand-in whose points are what a person would compare: how dark the mouth is, how loud the sound.

    Both are 13 numbers per window of 0.65 s, centred and of length 1, as StableSyncNet's points are.
    """

    NUMBERS = 13

    def see(self, faces: Tensor) -> Tensor:
        mouth = faces.unflatten(1, (16, 3))[..., 20:80, 90:166].mean(dim=(2, 3, 4))
        return self._point(-mouth)

    def hear(self, spectrogram: Tensor) -> Tensor:
        return self._point(spectrogram[:, 0].mean(1))

    def _point(self, course: Tensor) -> Tensor:
        even = torch.nn.functional.interpolate(course[:, None], self.NUMBERS, mode="linear")[:, 0]
        return torch.nn.functional.normalize(even - even.mean(1, keepdim=True), dim=1)


@pytest.mark.parametrize("offset_ms", [200.0, -160.0])
def test_late_sound_is_said_to_be_late_and_early_to_be_early(
    talking: Callable[..., Path],  # noqa: F811
    offset_ms: float,
) -> None:
    answer = run(measure_with(StableJudge(Plain()), talking(offset_ms=offset_ms), face=None))
    # Its grain is 40 ms, and loudness is not quite the opening of a mouth.
    assert answer.offset_ms == pytest.approx(offset_ms, abs=81.0)
    assert answer.kind is Kind.CONSTANT
    assert ("late" if offset_ms > 0 else "early") in answer.verdict.text()
    record = answer.to_json()
    assert record["detector"] == "stable-syncnet"
    assert record["confidence"] > 0.1
    assert "calibrated" in record["notes"][0]


def test_without_weights_it_says_where_to_get_them_and_wrong_ones_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    answer = run(measure_stable_syncnet(tmp_path / "clip.mp4"))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.needed"
    assert "stable-syncnet-1.6" in str(answer)
    weights = tmp_path / "stable_syncnet.pt"
    torch.save({"conv_in.weight": torch.zeros(8, 13, 3, 3)}, weights)
    answer = run(measure_stable_syncnet(tmp_path / "clip.mp4", weights=weights))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.mismatch"
