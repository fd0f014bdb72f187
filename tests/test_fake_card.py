"""The fake card finds what it is there to find."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.fake_card import FakeCard, fake_card


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCard]:
    """A card whose faults are looked at here."""
    with fake_card(monkeypatch) as made, torch.inference_mode():
        yield made
        made.faults.clear()


def found(card: FakeCard) -> str:
    """What was found since the last look."""
    faults = "\n".join(card.faults)
    card.faults.clear()
    return faults


def test_tensors_of_two_devices_do_not_meet(card: FakeCard) -> None:
    with pytest.raises(RuntimeError, match="same device"):
        torch.ones(3, device="cuda:0") + torch.ones(3)
    assert not card.faults


def test_streams_that_do_not_wait_race(card: FakeCard) -> None:
    side = torch.cuda.Stream("cuda:0")
    numbers = torch.ones(8, device="cuda:0")
    with torch.cuda.stream(side):
        numbers[2:4].abs()
    assert "read while it may still be written" in found(card)

    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        numbers[2:4].mul_(2)
    numbers[4:].abs()  # another part of the same memory
    assert not card.faults
    numbers[:3].mul_(2)
    assert "written while it may still be written" in found(card)

    done = torch.cuda.Event()
    done.record(side)
    torch.cuda.current_stream().wait_event(done)
    numbers[:3].mul_(2)
    assert not card.faults


def test_what_travels_is_not_touched_by_the_processor(card: FakeCard) -> None:
    here = torch.ones(8, pin_memory=True)
    here.to("cuda:0", non_blocking=True)
    assert card.host_waits == 0
    here.mul_(2)
    assert "by main stream" in found(card)
    torch.cuda.current_stream().synchronize()
    here.mul_(2)
    assert not card.faults


def test_memory_is_not_given_back_under_another_stream(card: FakeCard) -> None:
    for is_recorded in (True, False):
        numbers, side = torch.ones(8, device="cuda:0"), torch.cuda.Stream("cuda:0")
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            numbers.abs()
        if is_recorded:
            numbers.record_stream(side)
        del numbers
        torch.ones(1, device="cuda:0")
        assert ("given back" in found(card)) != is_recorded


def test_waiting_for_the_card_is_counted(card: FakeCard) -> None:
    numbers = torch.ones(8, device="cuda:0")
    assert card.host_waits == 0
    numbers.cpu()
    assert card.host_waits == 1
    torch.ones(8).to("cuda:0", non_blocking=True)
    assert card.host_waits == 1
    torch.ones(8).to("cuda:0")
    assert card.host_waits == 2
