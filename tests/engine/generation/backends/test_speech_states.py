"""States of Whisper's encoder: any rows of them in any order, and no more in memory than a minute."""

from __future__ import annotations

import weakref

import numpy as np
import torch

from engine.generation.backends.speech_states import SLICE_SECONDS, STATE_RATE, SpeechStates

SLICE = SLICE_SECONDS * STATE_RATE


def numbered(number: int) -> torch.Tensor:
    """Return the states of a slice, each its own number, shape ``(1500, 5, 2)``."""
    rows = torch.arange(number * SLICE, (number + 1) * SLICE, dtype=torch.float32)
    return rows[:, None, None].expand(-1, 5, 2).clone()


def test_rows_of_several_slices_come_in_the_order_asked_for() -> None:
    wanted = np.array([SLICE, 3, SLICE - 1, 3, 2 * SLICE + 7, 0])
    found = SpeechStates(3 * SLICE, numbered).states(wanted)
    assert found.shape == (len(wanted), 5, 2)
    assert found[:, 0, 0].tolist() == wanted.tolist()


def test_only_a_minute_of_states_is_held() -> None:
    held = weakref.WeakSet[torch.Tensor]()
    encoded: list[int] = []

    def encode(number: int) -> torch.Tensor:
        states = numbered(number)
        held.add(states)
        encoded.append(number)
        return states

    speech = SpeechStates(5 * SLICE, encode)
    for second in range(0, 150, 10):
        speech.states(np.arange(second * STATE_RATE, (second + 10) * STATE_RATE))
    assert encoded == [0, 1, 2, 3, 4]  # each once: neighbouring frames do not compute a slice again
    assert len(held) == 2
