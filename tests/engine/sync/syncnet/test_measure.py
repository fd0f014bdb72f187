"""Measuring a clip with SyncNet: the sign, the sentences, what cannot be measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.jobs import run
from engine.refusal import Refusal, Refused
from engine.sync.result import Kind
from engine.sync.syncnet.judges import SyncNetJudge
from engine.sync.syncnet.measure import measure_syncnet, measure_with
from engine.sync.syncnet.network import SyncNet
from engine.sync.syncnet.result import SyncNetMeasurement
from tests.media import Clip


class Plain:
    """A stand-in whose points are what a person would compare: how dark the mouth is, how loud the sound.

    Both are five numbers per window, centred and of length ``SCALE``; a mouth that opens gets darker as the voice gets
    louder.
    """

    SCALE = 60.0

    def see(self, pictures: Tensor) -> Tensor:
        mouth = pictures[..., 100:128, 88:138]
        return self._point(-mouth.mean(dim=(1, 3, 4)))

    def hear(self, cepstra: Tensor) -> Tensor:
        energy = cepstra[:, 0, 0]  # its logarithm stands in place of the first cepstrum
        return self._point(energy.unflatten(1, (5, 4)).mean(2))

    def _point(self, course: Tensor) -> Tensor:
        centred = course - course.mean(1, keepdim=True)
        return self.SCALE * torch.nn.functional.normalize(centred, dim=1)


@pytest.mark.parametrize("offset_ms", [200.0, -160.0])
def test_late_sound_is_said_to_be_late_and_early_to_be_early(talking: Callable[..., Path], offset_ms: float) -> None:
    answer = run(measure_with(SyncNetJudge(Plain()), talking(offset_ms=offset_ms), face=None))
    # Its grain is 40 ms, and loudness is not quite the opening of a mouth.
    assert answer.offset_ms == pytest.approx(offset_ms, abs=81.0)
    assert answer.kind is Kind.CONSTANT
    assert ("late" if offset_ms > 0 else "early") in answer.verdict.text()
    record = answer.to_json()
    assert record["offset_ms"] == answer.offset_ms
    assert record["detector"] == "syncnet"
    assert record["lse_c"] > 3
    assert record["lse_d"] > 0
    assert "calibrated" in record["notes"][0]


def test_a_face_that_is_not_there_and_one_that_is(talking: Callable[..., Path]) -> None:
    clip = talking(offset_ms=200.0)
    assert run(measure_with(SyncNetJudge(Plain()), clip, face=2)).kind is Kind.UNMEASURABLE
    assert run(measure_with(SyncNetJudge(Plain()), clip, face=1)).kind is Kind.CONSTANT


@pytest.mark.slow
def test_a_network_that_knows_nothing_gives_no_number(talking: Callable[..., Path], tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = tmp_path / "syncnet_v2.model"
    torch.save(SyncNet().state_dict(), weights, _use_new_zipfile_serialization=False)
    answer = run(measure_syncnet(talking(seconds=3), weights=weights))
    assert isinstance(answer, SyncNetMeasurement)
    assert answer.kind is Kind.UNMEASURABLE
    assert answer.offset_ms is None
    assert answer.confidence is not None
    assert answer.seconds_analysed > 2


def test_without_weights_it_says_where_to_get_them(
    talking: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLOSIVE_MODELS", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    answer = run(measure_syncnet(talking(offset_ms=200.0)))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.needed"
    assert "syncnet-v2" in str(answer)


def test_the_wrong_weights_are_named(talking: Callable[..., Path], tmp_path: Path) -> None:
    weights = tmp_path / "syncnet_v2.model"
    torch.save({"conv_in.weight": torch.zeros(8, 13, 3, 3)}, weights)
    answer = run(measure_syncnet(talking(offset_ms=200.0), weights=weights))
    assert isinstance(answer, Refusal)
    assert answer.code == "models.mismatch"


def test_clips_without_a_face_or_sound_cannot_be_measured(clip: Callable[..., Clip]) -> None:
    assert (
        run(measure_with(SyncNetJudge(Plain()), clip("faceless.mp4", seconds=3).path, face=None)).kind
        is Kind.UNMEASURABLE
    )


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    judges: list[object] = []
    monkeypatch.setattr(SyncNetJudge, "close", lambda judge: judges.append(judge))
    return judges


@pytest.mark.parametrize("missing", ["audio_codec", "codec"])
def test_the_judge_is_closed_where_there_is_nothing_to_judge(
    clip: Callable[..., Clip], closed: list[object], missing: str
) -> None:
    judge = SyncNetJudge(Plain())
    answer = run(measure_with(judge, clip("half.mp4", seconds=1, **{missing: None}).path, face=None))
    assert answer.kind is Kind.UNMEASURABLE
    assert closed == [judge]


def test_the_judge_is_closed_when_the_file_is_not_there_and_when_nobody_wants_the_answer(
    clip: Callable[..., Clip], closed: list[object], tmp_path: Path
) -> None:
    one, other = SyncNetJudge(Plain()), SyncNetJudge(Plain())
    with pytest.raises(Refused):
        run(measure_with(one, tmp_path / "none.mp4", face=None))
    job = measure_with(other, clip("whole.mp4", seconds=1).path, face=None)
    next(job)
    job.close()
    assert closed == [one, other]
