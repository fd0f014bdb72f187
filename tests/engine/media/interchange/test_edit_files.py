"""What editors are told: read back, the files move the sound as asked, exactly where the format can."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree as ET

import pytest

from engine.jobs import run
from engine.media.export.report import AnyCorrection
from engine.media.interchange.formats import EditFile, EditFormat
from engine.media.interchange.job import write_edit
from engine.media.interchange.sidecar import Sidecar, find_sidecar
from engine.refusal import Refused
from engine.timing import Correction, DriftCorrection, StepCorrection
from tests.media import Clip

MakeClip = Callable[..., Clip]
RATES = [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(50)]


def written(
    clip: Path, form: EditFormat, correction: AnyCorrection, folder: Path, audio: Path | None = None
) -> EditFile:
    return run(write_edit(clip, folder / f"out{form.suffix}", correction, form, audio=audio))


class Shown:
    """A piece of sound on a timeline: what an editor plays at a moment of the timeline."""

    def __init__(self, record: Fraction, duration: Fraction, source: Fraction, speed: Fraction = Fraction(1)) -> None:
        self.record, self.duration, self.source, self.speed = record, duration, source, speed

    @property
    def stop(self) -> Fraction:
        return self.record + self.duration

    def moved(self, at: Fraction) -> Fraction:
        """By how many seconds the sound that plays at a moment of the timeline was moved."""
        return at - (self.source + (at - self.record) * self.speed)


def read_otio(path: Path) -> list[Shown]:
    timeline = json.loads(path.read_text(encoding="utf-8"))
    assert timeline["OTIO_SCHEMA"] == "Timeline.1"
    picture, sound = timeline["tracks"]["children"]
    assert (picture["kind"], sound["kind"]) == ("Video", "Audio")
    shown, position = [], Fraction(0)
    for child in sound["children"]:
        start, duration = (child["source_range"][name] for name in ("start_time", "duration"))
        length = Fraction(duration["value"]) / Fraction(duration["rate"])
        if child["OTIO_SCHEMA"] == "Clip.2":
            speed = Fraction(child["effects"][0]["time_scalar"]) if child["effects"] else Fraction(1)
            shown.append(Shown(position, length, Fraction(start["value"]) / Fraction(start["rate"]), speed))
        else:
            assert child["OTIO_SCHEMA"] == "Gap.1"
        position += length
    return shown


def seconds(text: str) -> Fraction:
    assert text.endswith("s")
    return Fraction(text[:-1])


def read_fcpxml(path: Path) -> list[Shown]:
    root = ET.parse(path).getroot()
    shown = []
    for clip in root.findall(".//spine/asset-clip/asset-clip"):
        record, start, length = (seconds(clip.attrib[name]) for name in ("offset", "start", "duration"))
        speed = Fraction(1)
        if (points := clip.findall("timeMap/timept")) != []:
            first, last = ((seconds(point.attrib["time"]), seconds(point.attrib["value"])) for point in points)
            speed = (last[1] - first[1]) / (last[0] - first[0])
        shown.append(Shown(record, length, start * speed, speed))
    return shown


READERS = {EditFormat.OTIO: read_otio, EditFormat.FCPXML: read_fcpxml}


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.2f}")
@pytest.mark.parametrize("ms", [-83.0, 83.0, 40.0, -7.25, 0.0])
def test_a_shift_is_exact_and_lies_on_frame_edges(
    form: EditFormat, rate: Fraction, ms: float, clip: MakeClip, tmp_path: Path
) -> None:
    made = clip("a.mp4", rate=rate)
    done = written(made.path, form, Correction(ms), tmp_path)
    (shown,) = READERS[form](done.target)
    # OpenTimelineIO counts samples (48 kHz: 10 µs off at most), XML exact fractions.
    assert float(shown.moved(shown.record)) == pytest.approx(ms / 1000, abs=1.1e-5 if form is EditFormat.OTIO else 0)
    assert float(shown.record * rate) == pytest.approx(round(shown.record * rate), abs=1e-9)
    assert shown.source > -Fraction(1, 48_000)
    assert done.notes == ()


@pytest.mark.parametrize("form", READERS)
def test_a_drift_is_played_at_another_speed(form: EditFormat, clip: MakeClip, tmp_path: Path) -> None:
    made = clip("a.mp4")
    correction = DriftCorrection(-20.0, 500.0)
    done = written(made.path, form, correction, tmp_path)
    (shown,) = READERS[form](done.target)
    for at in (shown.record, shown.stop):
        original = at - shown.moved(at)
        assert float(shown.moved(at)) * 1000 == pytest.approx(correction.at(float(original)), abs=0.02)
    assert [note.key for note in done.notes] == ["edit.note.speed"]


@pytest.mark.parametrize("form", READERS)
def test_steps_are_pieces_that_do_not_overlap(form: EditFormat, clip: MakeClip, tmp_path: Path) -> None:
    correction = StepCorrection(((Fraction(0), -83.0), (Fraction(3), 40.0), (Fraction(6), -10.0)))
    done = written(clip("a.mp4", seconds=10).path, form, correction, tmp_path)
    shown = READERS[form](done.target)
    assert [round(float(piece.moved(piece.record)) * 1000, 1) for piece in shown] == [-83.0, 40.0, -10.0]
    assert all(before.stop <= after.record for before, after in pairwise(shown))
    for piece, (start, _) in zip(shown[1:], correction.steps[1:], strict=True):
        assert 0 <= piece.source - start < Fraction(1, 20)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_the_container_delay_is_not_counted_twice(suffix: str, clip: MakeClip, tmp_path: Path) -> None:
    done = written(clip(f"a.{suffix}").path, EditFormat.FCPXML, Correction(-40), tmp_path)
    (shown,) = read_fcpxml(done.target)
    assert float(shown.moved(shown.record)) == pytest.approx(-0.040, abs=1e-9)


@pytest.mark.parametrize(("ms", "frames"), [(-83.0, -2), (83.0, 2), (-100.0, -3), (5.0, 0)])
def test_an_edl_moves_by_whole_frames_and_says_so(ms: float, frames: int, clip: MakeClip, tmp_path: Path) -> None:
    done = written(clip("a.mp4").path, EditFormat.EDL, Correction(ms), tmp_path)
    text = done.target.read_bytes().decode("ascii")
    assert text.startswith("TITLE: a\r\nFCM: NON-DROP FRAME\r\n")
    events = re.findall(r"^(\d{3})  AX       (\S+) +C        (\S+) (\S+) (\S+) (\S+)\r$", text, re.MULTILINE)
    assert [(number, track) for number, track, *_ in events] == [("001", "V"), ("002", "A")]

    def frame(code: str) -> int:
        hours, minutes, whole, rest = map(int, code.split(":"))
        return ((hours * 60 + minutes) * 60 + whole) * 25 + rest

    source, source_end, record, record_end = map(frame, events[1][2:])
    assert record - 3600 * 25 - source == pytest.approx(frames, abs=1)
    moved_ms = (record - 3600 * 25 - source) * 40
    assert abs(moved_ms - ms) <= 20
    assert source_end - source == record_end - record
    assert [note.key for note in done.notes] == ["edit.note.whole_frames"]
    assert f"{abs(moved_ms):.1f}" in done.notes[0].text() or moved_ms == 0


def test_an_edl_of_whole_frames_needs_no_note(clip: MakeClip, tmp_path: Path) -> None:
    assert written(clip("a.mp4").path, EditFormat.EDL, Correction(-80.0), tmp_path).notes == ()


def test_an_edl_refuses_a_drift(clip: MakeClip, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        written(clip("a.mp4").path, EditFormat.EDL, DriftCorrection(0, 100), tmp_path)
    assert refused.value.refusal.code == "edit.edl_drift"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("name", ["a b.mp4", "it's & “c” <d>.mp4", "视频.mp4", "100%.mp4", "a#b?.mp4"])
def test_any_name_leads_back_to_the_file(form: EditFormat, name: str, clip: MakeClip, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(clip("a.mp4").path.read_bytes())
    text = written(path, form, Correction(-40), tmp_path).target.read_text(encoding="utf-8")
    if form is EditFormat.OTIO:
        track = json.loads(text)["tracks"]["children"][0]
        url = track["children"][0]["media_references"]["DEFAULT_MEDIA"]["target_url"]
    else:
        rep = ET.fromstring(text).find(".//media-rep")
        assert rep is not None
        url = rep.attrib["src"]
    assert unquote(urlparse(url).path) == str(path)


def test_a_second_recording_is_named(clip: MakeClip, tmp_path: Path) -> None:
    sound = clip("voice.wav", codec=None, audio_codec="pcm_s16le")
    done = written(clip("a.mp4").path, EditFormat.FCPXML, Correction(-40), tmp_path, audio=sound.path)
    assets = ET.parse(done.target).getroot().findall(".//asset")
    assert [asset.attrib["name"] for asset in assets] == ["a.mp4", "voice.wav"]
    assert [asset.attrib.get("hasAudio") for asset in assets] == [None, "1"]


@pytest.mark.parametrize(
    "correction",
    [
        Correction(-83.125),
        DriftCorrection(5.0, -123.4),
        StepCorrection(((Fraction(0), -83.0), (Fraction(10, 3), 40.5))),
    ],
)
def test_a_sidecar_is_read_again(correction: AnyCorrection, clip: MakeClip, tmp_path: Path) -> None:
    path, voice = tmp_path / "talk.mp4", tmp_path / "voice.wav"
    path.write_bytes(clip("a.mp4").path.read_bytes())
    voice.write_bytes(clip("voice.wav", codec=None, audio_codec="pcm_s16le").path.read_bytes())
    target = EditFormat.SIDECAR.target_for(path)
    assert target.name == "talk.mp4.offset.json"
    run(write_edit(path, target, correction, EditFormat.SIDECAR, audio=voice))
    assert find_sidecar(path) == Sidecar(correction, voice)
    with path.open("ab") as file:
        file.write(b"another clip")
    assert find_sidecar(path) is None


@pytest.mark.parametrize("value", ["Infinity", '"late"', "null", "[]"])
def test_a_sidecar_without_a_number_is_none(value: str, tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").write_bytes(b"clip")
    about = '{"plosive_offset": 1, "media": {"bytes": 4}, "sound": null, "correction": {"kind": "constant", "ms": %s}}'
    (tmp_path / "talk.mp4.offset.json").write_text(about % "12")
    assert find_sidecar(tmp_path / "talk.mp4") == Sidecar(Correction(12))
    (tmp_path / "talk.mp4.offset.json").write_text(about % value)
    assert find_sidecar(tmp_path / "talk.mp4") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"plosive_offset": 99}'])
def test_a_sidecar_that_makes_no_sense_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").write_bytes(b"clip")
    (tmp_path / "talk.mp4.offset.json").write_text(text)
    assert find_sidecar(tmp_path / "talk.mp4") is None


@pytest.mark.parametrize("form", EditFormat)
def test_what_exists_is_kept_and_what_fails_leaves_nothing(form: EditFormat, clip: MakeClip, tmp_path: Path) -> None:
    made = clip("a.mp4").path
    target = tmp_path / f"out{form.suffix}"
    target.write_text("precious")
    with pytest.raises(Refused) as refused:
        run(write_edit(made, target, Correction(-40), form))
    assert refused.value.refusal.code == "export.exists"
    assert target.read_text() == "precious"
    run(write_edit(made, target, Correction(-40), form, overwrite=True))
    assert target.read_text(encoding="utf-8") != "precious"
    assert os.listdir(tmp_path) == [target.name]  # noqa: PTH208
