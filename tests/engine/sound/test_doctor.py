"""The doctor: every fault is found with its place and number, and a good recording is left in peace."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engine.jobs import run
from engine.refusal import Refusal
from engine.sound.doctor import diagnose
from engine.sound.finding import Diagnosis, Finding, Severity
from engine.words import LANGUAGES
from tests.engine.sound.recordings import FloatArray, at_16k, convert, write
from tests.engine.sound.voice import music, speech
from tests.media import make_clip

RATE = 48_000
MADE = speech(8, RATE, noise_db=-75, seed=31)
VOICE = MADE.samples
ROOM = np.random.default_rng(5).standard_normal(20 * RATE).astype(np.float32) * 10 ** (-75 / 20)


def _diagnosed(path: Path) -> Diagnosis:
    result = run(diagnose(path))
    assert isinstance(result, Diagnosis), result
    return result


def _recording(folder: Path, samples: FloatArray, rate: int = RATE, **options: str) -> Diagnosis:
    return _diagnosed(write(folder / "voice.wav", samples, rate, **options))


def _only(diagnosis: Diagnosis, code: str) -> Finding:
    """Return the one finding there is, notes about other things excepted."""
    others = [each.code for each in diagnosis.findings if each.severity is not Severity.NOTE and each.code != code]
    assert others == []
    (finding,) = [each for each in diagnosis.findings if each.code == code]
    for language in LANGUAGES:
        for message in (finding.sentence, finding.consequence, finding.remedy):
            assert "{" not in message.text(language)
    return finding


def _upsampled(samples: FloatArray, rate: int, lower: int) -> FloatArray:
    """Take away everything above half the lower rate, but for the last 4 %, as a resampler's filter does."""
    spectrum = np.fft.rfft(samples)
    frequency = np.fft.rfftfreq(len(samples), 1 / rate)
    edge = np.clip((lower / 2 - frequency) / (0.04 * lower / 2), 0, 1)
    return np.fft.irfft(spectrum * edge, len(samples)).astype(np.float32)


@pytest.mark.parametrize(
    "voice",
    [
        {"pitch": 110.0, "seed": 1},
        {"pitch": 210.0, "size": 1.17, "seed": 2},
        {"pitch": 290.0, "size": 1.35, "seed": 3},
        {"pitch": 120.0, "level": 0.05, "noise_db": -60.0, "seed": 4},
    ],
)
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_good_recording_has_no_finding(tmp_path: Path, voice: dict[str, float], rate: int) -> None:
    made = speech(10, rate, **voice)
    diagnosis = _recording(tmp_path, made.samples[: round((made.phrases[-1][1] + 0.5) * rate)], rate)
    assert [finding.code for finding in diagnosis.findings] == []
    assert diagnosis.worst is None
    assert diagnosis.measures["speech_share"] == pytest.approx(0.7, abs=0.2)


def test_silence_at_the_ends_is_placed(tmp_path: Path) -> None:
    diagnosis = _recording(tmp_path, np.concatenate([ROOM[: 2 * RATE], VOICE, ROOM[: 7 * RATE]]))
    head = _only(diagnosis, "trailing_silence") and next(f for f in diagnosis.findings if f.code == "leading_silence")
    tail = next(finding for finding in diagnosis.findings if finding.code == "trailing_silence")
    assert head.value == pytest.approx(2 + MADE.phrases[0][0], abs=0.03)
    assert (head.severity, tail.severity) == (Severity.NOTE, Severity.WARNING)
    assert head.spans[0].start == 0
    assert float(tail.spans[0].end) == pytest.approx(17, abs=0.011)
    assert float(tail.spans[0].start) == pytest.approx(2 + MADE.phrases[-1][1], abs=0.04)


def test_nothing_to_hear(tmp_path: Path) -> None:
    diagnosis = _recording(tmp_path, np.zeros(3 * RATE, np.float32))
    assert _only(diagnosis, "silent").severity is Severity.PROBLEM
    assert len(diagnosis.findings) == 1


@pytest.mark.parametrize("samples", [1105, 2112])
def test_encoder_delay_left_in_is_measured(tmp_path: Path, samples: int) -> None:
    finding = _only(_recording(tmp_path, np.concatenate([np.zeros(samples, np.float32), VOICE])), "encoder_padding")
    assert finding.value == pytest.approx(1000 * samples / RATE, abs=0.1)


def test_gated_pauses_are_not_encoder_delay(tmp_path: Path) -> None:
    gated = np.where(np.abs(VOICE) < 1e-3, 0, VOICE).astype(np.float32)
    diagnosis = _recording(tmp_path, gated[round((MADE.phrases[0][0] - 0.03) * RATE) :])
    assert "encoder_padding" not in [finding.code for finding in diagnosis.findings]


@pytest.mark.parametrize("after", [1.0, 0.5])
def test_clipped_peaks_are_counted_where_they_are(tmp_path: Path, after: float) -> None:
    first, end = (round(edge * RATE) for edge in MADE.phrases[1])
    samples = 0.4 * VOICE
    samples[first:end] = np.clip(VOICE[first:end] * 4, -0.9, 0.9)
    finding = _only(_recording(tmp_path, samples * after), "clipping")
    assert finding.value is not None
    assert finding.value > 50
    begins, ends = MADE.phrases[1]
    assert finding.spans
    assert all(begins <= float(span.start) < float(span.end) <= ends for span in finding.spans)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
def test_loud_but_whole_peaks_are_not_clipped(tmp_path: Path, subtype: str) -> None:
    diagnosis = _recording(tmp_path, VOICE / np.abs(VOICE).max() * 0.99, subtype=subtype)
    assert {"clipping", "dropouts"}.isdisjoint(finding.code for finding in diagnosis.findings)


def test_clipping_is_found_in_eight_bits(tmp_path: Path) -> None:
    samples = np.clip(VOICE * 8, -1, 127 / 128)
    assert "clipping" in [finding.code for finding in _recording(tmp_path, samples, subtype="PCM_U8").findings]


def test_peaks_beyond_full_scale(tmp_path: Path) -> None:
    finding = _only(_recording(tmp_path, VOICE / np.abs(VOICE).max() * 1.5, subtype="FLOAT"), "over_full_scale")
    assert finding.value == pytest.approx(20 * np.log10(1.5), abs=0.5)


def test_too_quiet(tmp_path: Path) -> None:
    finding = _only(_recording(tmp_path, VOICE * 0.01, subtype="PCM_24"), "too_quiet")
    assert finding.value is not None
    assert finding.value < -50


@pytest.mark.parametrize("noise_db", [-30.0, -20.0])
def test_noise_is_measured(tmp_path: Path, noise_db: float) -> None:
    made = speech(10, 16_000, noise_db=noise_db, seed=8)
    rows = made.samples.reshape(-1, 160)
    syllables = np.percentile(10 * np.log10(np.mean(rows**2, axis=1)), 95)
    finding = _only(_recording(tmp_path, made.samples, 16_000), "noisy")
    assert finding.value == pytest.approx(syllables - noise_db, abs=1.5)
    assert finding.severity is (Severity.WARNING if noise_db > -25 else Severity.NOTE)


@pytest.mark.parametrize(("lower", "code"), [(8000, "telephone"), (11_025, "upsampled"), (16_000, "upsampled")])
def test_upsampling_is_seen_through(tmp_path: Path, lower: int, code: str) -> None:
    finding = _only(_recording(tmp_path, _upsampled(VOICE, RATE, lower)), code)
    assert finding.value == pytest.approx(lower / 2, rel=0.08)
    if code == "upsampled":
        assert dict(finding.sentence.values)["original_khz"] == lower / 1000


@pytest.mark.parametrize(("bit_rate", "lowest", "highest"), [("64k", 9000, 17_500), ("128k", 15_000, 21_000)])
def test_an_mp3_low_pass_is_not_taken_for_upsampling(tmp_path: Path, bit_rate: str, lowest: int, highest: int) -> None:
    encoded = write(tmp_path / "voice.mp3", VOICE, RATE, "-b:a", bit_rate)
    decoded = tmp_path / "again.wav"
    convert(encoded, decoded)
    codes = {finding.code: finding for finding in _diagnosed(decoded).findings}
    assert "upsampled" not in codes
    assert lowest <= (codes["lossy_low_pass"].value or 0) <= highest
    assert codes["lossy_low_pass"].severity is Severity.NOTE
    assert "lossy_low_pass" not in {finding.code for finding in _diagnosed(encoded).findings}


def test_channels_that_cancel(tmp_path: Path) -> None:
    finding = _only(_recording(tmp_path, np.stack([VOICE, -0.9 * VOICE], axis=1)), "out_of_phase")
    assert dict(finding.remedy.values)["channel"] == 1


def test_two_voices_of_one_room_do_not_cancel(tmp_path: Path) -> None:
    other = speech(8, RATE, noise_db=-75, pitch=200, seed=32).samples
    diagnosis = _recording(tmp_path, np.stack([VOICE + 0.3 * other, 0.3 * VOICE + other], axis=1))
    assert diagnosis.findings == ()


def test_a_dead_channel(tmp_path: Path) -> None:
    finding = _only(_recording(tmp_path, np.stack([VOICE, np.zeros_like(VOICE)], axis=1)), "dead_channel")
    assert finding.value == 2


def test_a_constant_offset(tmp_path: Path) -> None:
    finding = _only(_recording(tmp_path, VOICE + np.float32(0.08)), "dc_offset")
    assert finding.value == pytest.approx(0.08, abs=0.001)
    assert finding.severity is Severity.WARNING


def test_dropouts_are_placed(tmp_path: Path) -> None:
    samples = VOICE.copy()
    begins = [start + 0.04 for start, _ in MADE.phrases[:3]]  # in the first vowel
    for begin in begins:
        first = round(begin * RATE)
        first += int(np.argmax(np.abs(VOICE[first : first + RATE // 100])))  # where the wave is high
        samples[first : first + round(0.02 * RATE)] = 0
    finding = _only(_recording(tmp_path, samples), "dropouts")
    assert finding.value == 3
    for span, begin in zip(finding.spans, begins, strict=True):
        assert begin - 0.001 <= float(span.start) <= begin + 0.012
        assert float(span.end - span.start) == pytest.approx(0.02, abs=0.003)


def test_music_and_noise_are_not_speech(tmp_path: Path) -> None:
    assert (
        _only(_recording(tmp_path, music(12, RATE, seed=3) + ROOM[: 12 * RATE]), "music").severity is Severity.WARNING
    )
    noise = np.random.default_rng(0).standard_normal(12 * RATE).astype(np.float32) * 0.05
    assert _only(_recording(tmp_path, noise), "no_speech").value == 0


def test_places_are_on_the_files_clock(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", seconds=3, sound_start_ms=700, sound_seconds=2, audio_codec="pcm_s16le")
    findings = {finding.code: finding for finding in _diagnosed(clip.path).findings}
    assert findings["sound_starts_late"].value == pytest.approx(700, abs=1)
    ends = [finding.spans[0].end for finding in findings.values() if finding.code == "trailing_silence"]
    assert all(abs(end - Fraction(27, 10)) < Fraction(2, 100) for end in ends)


def test_what_the_container_says(tmp_path: Path) -> None:
    clip = make_clip(
        tmp_path / "clip.mp4", seconds=2, frame_ticks=(2, 4, 8, 3), audio_codec="aac", audio_languages=("eng", "deu")
    )
    codes = [finding.code for finding in _diagnosed(clip.path).findings]
    assert {"several_sounds", "variable_frame_rate", "hidden_priming"} <= set(codes)
    stream = make_clip(tmp_path / "clip.ts", seconds=2, audio_codec="aac")
    assert "unknown_priming" in [finding.code for finding in _diagnosed(stream.path).findings]


def test_refusals(tmp_path: Path) -> None:
    refused = run(diagnose(tmp_path / "missing.wav"))
    assert isinstance(refused, Refusal)
    assert refused.code == "media.missing"
    silent = run(diagnose(make_clip(tmp_path / "silent.mp4", seconds=1, audio_codec=None).path))
    assert isinstance(silent, Refusal)
    assert silent.code == "media.no_sound"


def test_worst_first_and_plain_data(tmp_path: Path) -> None:
    samples = np.clip(np.concatenate([ROOM[: 2 * RATE], VOICE]) * 20, -0.99, 0.99)
    diagnosis = _recording(tmp_path, samples)
    ranks = [finding.severity.rank for finding in diagnosis.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert diagnosis.worst is Severity.PROBLEM
    plain = json.loads(json.dumps(diagnosis.to_json()))
    assert plain["worst"] == "problem"
    assert {"code", "severity", "value", "where", "sentence", "consequence", "remedy"} == set(plain["findings"][0])
    assert len(plain["findings"][0]["where"]) <= 50


def test_sentences_in_both_languages(tmp_path: Path) -> None:
    (finding,) = _recording(tmp_path, np.stack([VOICE, -VOICE], axis=1)).findings
    assert "polarity" in finding.sentence.text("en")
    assert "极性" in finding.sentence.text("zh_CN")


def test_sound_ready_for_a_model_passes(tmp_path: Path) -> None:
    assert _recording(tmp_path, at_16k(VOICE, RATE), 16_000).findings == ()
