"""Layout and compiler: what is asked for is done to all networks, and the pictures stay what they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch._inductor.exc import InductorError

from engine.generation.backend import Devices, Picture, RenderJob
from engine.generation.backends import placement
from engine.generation.registry import open_engine
from engine.jobs import run
from engine.refusal import Refused
from tests.engine.generation.backends.conftest import NEURAL
from tests.engine.generation.backends.draft.talk import drawn_face
from tests.engine.generation.backends.test_bad_input import job_of

pytestmark = pytest.mark.usefixtures("both")

each_engine = pytest.mark.parametrize("engine", NEURAL)


@pytest.fixture(scope="module")
def face() -> Picture:
    return drawn_face(3, (320, 240))


def drawn(job: RenderJob, devices: Devices | None = None) -> list[Picture]:
    engine = open_engine(job.spec.engine)
    try:
        run(engine.load(job, devices or Devices()))
        items = [item for segment in job.plan.segments for item in engine.render(segment)]
    finally:
        engine.close()
    return [item for item in items if isinstance(item, np.ndarray)]


def tuned(engine: str, pictures: Sequence[Picture], **parameters: Any) -> RenderJob:
    job = job_of(engine, pictures)
    return replace(job, parameters={**job.parameters, **parameters})


def worst(found: list[Picture], expected: list[Picture]) -> int:
    return max(int(np.abs(a.astype(int) - b).max()) for a, b in zip(found, expected, strict=True))


@each_engine
def test_they_are_off_unless_asked_for(engine: str, monkeypatch: pytest.MonkeyPatch, face: Picture) -> None:
    monkeypatch.setattr(nn.Module, "compile", lambda *_: pytest.fail("compiled"))
    values = job_of(engine, [face]).parameters
    assert (values["compile"], values["channels_last"]) == (False, False)
    drawn(job_of(engine, [face]))


@each_engine
def test_another_layout_draws_the_same_pictures(engine: str, face: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    # Convolutions add in another order: in double precision nothing of that reaches a picture, whatever the weights.
    monkeypatch.setattr(placement, "dtype_of", lambda *_: torch.float64)
    usual = drawn(job_of(engine, [face] * 2))
    other = drawn(tuned(engine, [face] * 2, channels_last=True))
    assert worst(other, usual) == 0
    assert (usual[0] != face).any()


@each_engine
def test_all_that_computes_is_compiled_once(engine: str, face: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(nn.Module, "compile", lambda self: compiled.append(type(self).__name__))
    drawn(tuned(engine, [face], compile=True))
    assert sorted(compiled)[:2] == ["Decoder", "Encoder"]
    assert len(compiled) == 3
    assert "UNet" in sorted(compiled)[2]


@each_engine
def test_a_compiler_that_is_not_there_is_said_in_words(
    engine: str, face: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: nn.Module) -> None:
        def forward(*_: Any, **__: Any) -> None:
            raise InductorError(RuntimeError("no C++ compiler"), None)

        self.forward = forward  # type: ignore[method-assign]

    monkeypatch.setattr(nn.Module, "compile", failing)
    with pytest.raises(Refused) as refused:
        drawn(tuned(engine, [face], compile=True))
    assert refused.value.refusal.code == "workers.not_compiled"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")  # torch's own compiler
def test_compiled_networks_draw_the_same_pictures(face: Picture) -> None:
    usual = drawn(job_of("latentsync", [face] * 2))
    other = drawn(tuned("latentsync", [face] * 2, compile=True))
    assert worst(other, usual) <= 1
