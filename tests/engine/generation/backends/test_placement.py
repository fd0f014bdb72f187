"""Where networks compute: what a device can do of a wish, and that weights that wait elsewhere compute the same."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.generation.backends.compiling import Tuning
from engine.generation.backends.placement import Placement, dtype_of
from engine.generation.spec import Offload, Precision


def test_layers_that_come_and_go_are_not_compiled() -> None:
    wish = Tuning(channels_last=True, compiled=True)
    for offload, compiled in ((Offload.NONE, True), (Offload.MODEL, True), (Offload.LAYERS, False)):
        found = Placement.on("cuda:0", Precision.FP32, offload, wish)
        assert found == Placement("cuda:0", torch.float32, offload, Tuning(channels_last=True, compiled=compiled))


def test_weights_are_in_main_memory_already_where_no_card_computes() -> None:
    wish = Tuning(compiled=True)
    for offload in (Offload.NONE, Offload.MODEL, Offload.LAYERS):
        assert Placement.on("cpu", Precision.BF16, offload, wish) == Placement("cpu", torch.bfloat16, tuning=wish)


@pytest.mark.parametrize(("major", "dtype"), [(7, torch.float16), (8, torch.bfloat16), (9, torch.bfloat16)])
def test_cards_without_bfloat16_compute_in_the_other_half_precision(
    monkeypatch: pytest.MonkeyPatch, major: int, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (major, 0))
    for precision in (Precision.BF16, Precision.FP8):
        assert dtype_of(precision, "cuda:1") is dtype
    assert dtype_of(Precision.FP16, "cuda:1") is torch.float16
    assert dtype_of(Precision.FP32, "cuda:1") is torch.float32


class Noting(nn.Linear):
    """A layer that notes where it is sent."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        self.sent: list[str] = []

    def to(self, device: str) -> Noting:  # type: ignore[override]  # the one way it is called here
        self.sent.append(device)
        return self


def test_networks_that_take_turns_leave_the_device_whatever_happens() -> None:
    placement = Placement("cuda:0", offload=Offload.MODEL)
    network = Noting()
    placement.place([network])
    assert network.sent == []
    with placement.turn_of(network):
        assert network.sent == ["cuda:0"]
    assert network.sent == ["cuda:0", "cpu"]
    with pytest.raises(ZeroDivisionError), placement.turn_of(network):
        raise ZeroDivisionError
    assert network.sent == ["cuda:0", "cpu"] * 2


def test_networks_that_stay_are_sent_once() -> None:
    placement = Placement("cuda:0")
    network = Noting()
    placement.place([network])
    with placement.turn_of(network):
        pass
    assert network.sent == ["cuda:0"]


def test_layers_that_come_and_go_compute_the_same() -> None:
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4)).requires_grad_(requires_grad=False)
    given = torch.randn(3, 4)
    expected = network(given)
    Placement(offload=Offload.LAYERS).place([network])
    assert torch.equal(network(given), expected)
