"""Files whose end is missing, and whole ones of the same kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.jobs import run
from engine.media.cut_off import is_cut_off
from engine.media.probe import probe
from engine.sound.doctor import diagnose
from engine.sound.finding import Diagnosis
from tests.media import make_clip


def made(tmp_path: Path, name: str) -> Path:
    if name.endswith(".wav"):
        return make_clip(tmp_path / name, seconds=2, codec=None, audio_codec="pcm_s16le").path
    options = {"movflags": "faststart"} if name == "index first.mp4" else {}
    return make_clip(tmp_path / name, seconds=2, audio_codec="aac", container_options=options).path


@pytest.mark.parametrize("name", ["clip.mkv", "index first.mp4", "clip.mov", "sound.wav", "clip.ts"])
def test_a_whole_file_is_whole(tmp_path: Path, name: str) -> None:
    assert not is_cut_off(made(tmp_path, name))


@pytest.mark.parametrize("name", ["clip.mkv", "index first.mp4", "sound.wav"])
@pytest.mark.parametrize("share", [0.6, 0.999])
def test_a_file_without_its_end_is_cut_off(tmp_path: Path, name: str, share: float) -> None:
    whole = made(tmp_path, name)
    content = whole.read_bytes()
    whole.write_bytes(content[: int(share * len(content))])
    assert is_cut_off(whole)
    assert probe(whole).is_cut_off
    found = run(diagnose(whole))
    assert isinstance(found, Diagnosis)
    assert "cut_off" in [finding.code for finding in found.findings]


@pytest.mark.parametrize("size", [b"\0\0\0\0", b"\xff\xff\xff\xff"])
def test_a_recorder_that_did_not_fill_in_the_length_cut_nothing_off(tmp_path: Path, size: bytes) -> None:
    sound = made(tmp_path, "sound.wav")
    content = sound.read_bytes()
    sound.write_bytes(content[:4] + size + content[8:])
    assert not is_cut_off(sound)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\x80\x18", b"\0\0\0\x08ftyp"])
def test_a_few_bytes_are_no_file_whose_end_is_missing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "few"
    file.write_bytes(content)
    assert not is_cut_off(file)
