"""Ranks meet, with the means that their machine has, and are patient with each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from engine.generation.backends.liveavatar.links import Chain, meet

CPU, CARD = torch.device("cpu"), torch.device("cuda", 1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What torch is asked for instead of being asked."""
    backends: list[str] = []
    monkeypatch.setattr(dist, "init_process_group", lambda backend, **_: backends.append(backend))
    return backends


@pytest.mark.parametrize(
    ("device", "has_nccl", "backend", "travel"),
    [(CARD, True, "nccl", CARD), (CARD, False, "gloo", CPU), (CPU, True, "gloo", CPU)],
)
def test_cards_talk_directly_where_they_can(
    asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    device: torch.device,
    has_nccl: bool,
    backend: str,
    travel: torch.device,
) -> None:
    """There is no NCCL on Windows; what travels between ranks goes through main memory there."""
    monkeypatch.setattr(dist, "is_nccl_available", lambda: has_nccl)
    assert meet(0, 2, tmp_path / "meeting", device) == travel
    assert asked == [backend]


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Chain]:
    yield Chain(0, 1, meet(0, 1, tmp_path / "meeting", CPU))
    dist.destroy_process_group()


def test_a_paused_render_loses_no_rank(alone: Chain) -> None:
    """Torch would give up on a link after minutes without a message."""

    def patience(group: Any) -> timedelta:
        found: timedelta = group._get_backend(CPU).options._timeout
        return found

    groups = [dist.group.WORLD, alone._forward, alone._back]
    assert min(map(patience, groups)) > timedelta(days=1)
