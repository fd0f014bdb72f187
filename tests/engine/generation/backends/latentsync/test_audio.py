"""What the denoiser hears: log-mel, states, and which of them belong to a frame."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from engine.generation.backends.latentsync.audio import Hearing, window_rows
from engine.generation.backends.speech_states import LogMel, states_of_whole
from engine.models.whisper import encoder_for
from tests.engine.generation.backends.latentsync.networks import encoder_of, whisper_shapes
from tests.engine.generation.in_memory import RecordedVoice, Silence
from tests.golden import Golden, goldens, worst

RELATIVE = 1e-4
"""Of float32 tensors, relative to their largest value. The reference's own transform in single precision is up to 2e-5
from the exact (double precision) log-mel in quiet bands, so nothing tighter says anything on another processor."""


@goldens("latentsync/whisper")
def test_windows_at_any_rate_are_the_published_ones(golden: Golden) -> None:
    rows = golden.config["L"]
    rates = {"window_index": Fraction(golden.config["fps"])}
    rates |= {
        name: Fraction(name.removeprefix("window_index_fps_").replace("p", "."))
        for name in golden.tensors
        if name.startswith("window_index_fps_")
    }
    for name, fps in rates.items():
        expected = golden.arrays[name]
        found = np.stack([window_rows(frame / fps, rows) for frame in range(len(expected))])
        np.testing.assert_array_equal(found, expected)


@goldens("latentsync/whisper")
def test_states_and_tokens_are_the_published_ones(golden: Golden) -> None:
    tensors = golden.tensors
    voice = RecordedVoice(golden.arrays["wave"])
    encoder = encoder_of(golden.state(shapes=whisper_shapes()))
    speech = states_of_whole(encoder, voice)
    assert speech.rows == golden.config["L"]

    mel = LogMel(voice)
    slices = torch.cat([mel.slice(number) for number in range(-(-mel.columns // 3000))], dim=1)
    assert slices[:, mel.columns :].abs().sum() == 0
    slices = slices[:, : mel.columns]
    _close(slices if "log_mel" in tensors else slices[:, tensors["log_mel_columns"]], _either(tensors, "log_mel"))
    rows = tensors["states_rows"].numpy() if "states_rows" in tensors else np.arange(speech.rows)
    _close(speech.states(rows), _either(tensors, "states"))
    times = [Fraction(frame, golden.config["fps"]) for frame in tensors["frames_stored"].tolist()]
    _close(Hearing(encoder, voice).tokens(times), tensors["windows"])


def _either(tensors: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    return next(tensors[each] for each in (name, f"{name}_at_columns", f"{name}_at_rows") if each in tensors)


def _close(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert worst(found, expected) <= RELATIVE * float(expected.abs().max())


@pytest.mark.parametrize("fps", ["12", "24000/1001", "24", "25", "30000/1001", "50", "60000/1001", "120"])
def test_no_rate_drifts(fps: str) -> None:
    rate, hour = Fraction(fps), 3600
    rows = hour * 50
    for frame in (0, 1, int(rate * hour) // 2, int(rate * hour) - 1):
        centre = int(window_rows(frame / rate, rows)[4])
        if 4 <= centre < rows - 5:
            # The state that is sounding when the frame is shown: never more than its own length away.
            assert 0 <= Fraction(frame) / rate - Fraction(centre, 50) < Fraction(1, 50)


def test_the_ends_of_the_sound_are_repeated() -> None:
    assert window_rows(Fraction(0), 100).tolist() == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]
    assert window_rows(Fraction(2), 100).tolist() == [96, 97, 98, *[99] * 7]
    assert window_rows(Fraction(0), 1).tolist() == [0] * 10


def test_no_sound_and_hardly_any_are_heard_as_something() -> None:
    shapes = {"conv1.weight": (64, 80, 3), "layers.0.fc1.weight": (128, 64), "embed_positions.weight": (1500, 64)}
    encoder = encoder_for(shapes).eval()
    for samples, count in ((0, 50), (100, 50), (320, 10 * 2), (1000, 10 * 2)):
        tokens = Hearing(encoder, Silence(samples)).tokens([Fraction(0), Fraction(1)])
        assert tokens.shape == (2, count, 64)
        assert bool(torch.isfinite(tokens).all())
