"""The program as its users meet it: what it prints, on which stream, and how it ends."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.cli import (
    commands,
    liveavatar_commands,
    model_commands,
    options,
    prompt_commands,
    render_commands,
    trace_commands,
)
from engine.cli.exit_codes import ExitCode
from engine.refusal import Refusal
from engine.words import LANGUAGES, use_language
from tests.engine.conftest import CLIP_OFFSET_MS, ROOT, Run
from tests.media import damages, make_clip, make_encrypted, make_playlists, make_still, make_unknown_codec, truncated

Say = Callable[..., tuple[int, str]]

NEAR_MS = 25.0
"""How near an answer must be to the drawn clip's truth here; accuracy has tests of its own."""


# --- results -------------------------------------------------------------------------------------------------------


def test_measures_a_late_clip(plosive: Run, talking_clip: Path) -> None:
    done = plosive("measure", talking_clip)
    assert done.returncode == ExitCode.OUT_OF_SYNC
    assert "ms late" in done.stdout
    assert done.stderr == ""  # nothing of MediaPipe's or TensorFlow's own


def test_json_is_one_object_and_nothing_else(plosive: Run, talking_clip: Path) -> None:
    done = plosive("measure", "--json", talking_clip)
    assert done.returncode == ExitCode.OUT_OF_SYNC
    (line,) = done.stdout.splitlines()
    record = json.loads(line)
    assert record["file"] == str(talking_clip)
    assert record["kind"] == "constant"
    assert abs(record["offset_ms"] - CLIP_OFFSET_MS) < NEAR_MS
    assert record["faces"] == 1
    assert record["points"]
    assert record["seconds_analysed"] > 5


def test_measures_a_part_of_a_clip(plosive: Run, talking_clip: Path) -> None:
    done = plosive("measure", "--json", "--from", "2", "--to", "7.5", talking_clip)
    assert done.returncode == ExitCode.OUT_OF_SYNC
    assert json.loads(done.stdout)["seconds_analysed"] == pytest.approx(5.5)
    nothing = plosive("measure", talking_clip, "--from", "500")
    assert nothing.returncode == ExitCode.BAD_INPUT
    assert "nothing between these times" in nothing.stderr


def test_fixes_and_measures_again(plosive: Run, talking_clip: Path, tmp_path: Path) -> None:
    before = talking_clip.read_bytes()
    done = plosive("fix", "--json", "-o", tmp_path / "out.mp4", talking_clip)
    assert done.returncode == ExitCode.DONE, done.stderr
    record = json.loads(done.stdout)
    assert record["mode"] == "lossless"
    assert abs(record["got_ms"] - record["asked_ms"]) < 0.05  # two samples at 48 kHz
    assert abs(record["asked_ms"] + record["before"]["offset_ms"]) < 0.01
    assert abs(record["left_ms"]) < 10
    assert record["after"]["kind"] == "in_sync"
    assert talking_clip.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_clip_in_sync_is_left_alone(plosive: Run, talking_clip: Path, tmp_path: Path) -> None:
    fixed = plosive("fix", talking_clip, "-o", "fixed.mp4")
    assert fixed.returncode == ExitCode.DONE, fixed.stderr
    again = plosive("fix", "fixed.mp4")
    assert again.returncode == ExitCode.DONE
    assert "Nothing to do" in again.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["fixed.mp4"]
    assert plosive("measure", "fixed.mp4").returncode == ExitCode.DONE


def test_writes_a_correction_for_editors(plosive: Run, tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", seconds=4)
    done = plosive("export-edit", "a.mp4", "--correction-ms", "-83", "--format", "edl")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert "counts in whole frames" in " ".join(done.stdout.split())
    assert "written to a.edl" in " ".join(done.stdout.split())  # named as the clip was
    assert (tmp_path / "a.edl").read_text().startswith("TITLE: a\n")
    done = plosive("export-edit", "a.mp4", "--json", "--correction-ms", "5", "--drift-ppm", "300", "-o", "b.fcpxml")
    assert json.loads(done.stdout)["format"] == "fcpxml"
    assert "timeMap" in (tmp_path / "b.fcpxml").read_text()
    assert plosive("export-edit", "a.mp4", "--steps", "0:-83,2:40").returncode == ExitCode.DONE
    assert len(json.loads((tmp_path / "a.otio").read_text())["tracks"]["children"][1]["children"]) == 3  # a gap
    again = plosive("export-edit", "a.mp4", "--steps", "0:-83,2:40")
    assert again.returncode == ExitCode.BAD_INPUT
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("options", "mode"),
    [(["--correction-ms", "5", "--drift-ppm", "1000"], "stretch"), (["--steps", "0:-83,2:40.5"], "piecewise")],
)
def test_fixes_by_a_given_line_or_steps(plosive: Run, tmp_path: Path, options: list[str], mode: str) -> None:
    make_clip(tmp_path / "a.mp4", seconds=5)
    done = plosive("fix", "a.mp4", *options, "--json", "-o", "b.mp4")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert json.loads(done.stdout)["mode"] == mode


@pytest.mark.parametrize("steps", ["", "5", "0:", "3:1,2:1", "0:1;2:3", "0:late", "1/0:5"])
def test_steps_that_make_no_sense_are_refused(say: Say, steps: str) -> None:
    code, text = say("fix", "a.mp4", "--steps", steps)
    assert code == ExitCode.BAD_INPUT
    assert "0:-83,12.5:-40" in text


def test_draws_a_picture(plosive: Run, talking_clip: Path, tmp_path: Path) -> None:
    plosive("measure", talking_clip, "--plot", "answer.png")
    assert (tmp_path / "answer.png").read_bytes().startswith(b"\x89PNG")


def test_a_correction_by_hand_needs_no_face(plosive: Run, tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", seconds=3)
    done = plosive("fix", "a.mp4", "--correction-ms", "-40", "--mode", "compatible", "-o", "b.mp4", "--json")
    assert done.returncode == ExitCode.DONE, done.stderr
    record = json.loads(done.stdout)
    assert record["asked_ms"] == -40
    assert abs(record["got_ms"] + 40) < 0.05


def test_folders_are_searched_and_results_keep_their_order(plosive: Run, talking_clip: Path, tmp_path: Path) -> None:
    deep = tmp_path / "shoot" / "day 1"
    deep.mkdir(parents=True)
    shutil.copy(talking_clip, deep / "b.mp4")
    make_clip(tmp_path / "shoot" / "z.mkv", seconds=2)
    (tmp_path / "shoot" / "a.mov").write_bytes(b"not media")
    (tmp_path / "shoot" / "notes.txt").write_text("skipped")
    (tmp_path / "shoot" / ".hidden.mp4").write_bytes(b"skipped")
    done = plosive("measure", "--json", "--jobs", "2", "shoot", "missing.mp4")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(record["file"]).name for record in records] == ["a.mov", "z.mkv", "b.mp4", "missing.mp4"]
    assert [record.get("kind") for record in records] == [None, "unmeasurable", "constant", None]
    assert [record["error"]["code"] for record in records if "error" in record] == ["media.not_media", "media.missing"]
    assert done.returncode == ExitCode.BAD_INPUT
    said = plosive("measure", "shoot", "--jobs", "2")
    assert "3 files: 1 out of sync, 1 not measurable, 1 could not be used" in said.stdout


def test_results_for_several_files_go_into_a_folder(plosive: Run, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        make_clip(tmp_path / name, seconds=2)
    done = plosive("fix", "a.mp4", "b.mp4", "--correction-ms", "13", "-o", "fixed")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert sorted(path.name for path in (tmp_path / "fixed").iterdir()) == ["a.mp4", "b.mp4"]


def test_prepare_and_doctor(plosive: Run, talking_clip: Path, tmp_path: Path) -> None:
    done = plosive("prepare", talking_clip, "-o", "voice.wav", "--fps", "25", "--json")
    assert done.returncode == ExitCode.DONE, done.stderr
    record = json.loads(done.stdout)
    assert record["sample_rate"] == 16_000
    assert abs(record["delay_samples"]) < 0.5
    assert (tmp_path / "voice.wav").exists()
    examined = plosive("doctor", "--json", "voice.wav")
    assert examined.returncode in {ExitCode.DONE, ExitCode.OUT_OF_SYNC}
    assert json.loads(examined.stdout)["sample_rate"] == 16_000


def test_makes_a_sample_clip_only_where_it_can(plosive: Run, tmp_path: Path) -> None:
    done = plosive("sample", "clip.avi")
    assert done.returncode == ExitCode.BAD_INPUT
    assert list(tmp_path.iterdir()) == []
    recording = tmp_path / "recording.mp4"
    recording.write_bytes(b"a recording")
    done = plosive("sample", "recording.mp4")
    assert done.returncode == ExitCode.BAD_INPUT
    assert "exists already" in done.stderr
    assert recording.read_bytes() == b"a recording"


# --- help and usage ------------------------------------------------------------------------------------------------


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Say]:
    """Return a function that parses a command line in this process, and gives its exit code and all it said."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments: str, language: str = "en") -> tuple[int, str]:
        use_language(language)
        _reload()  # the commands' help is made in the language of the moment
        code = commands.run_command(arguments)
        out, err = capsys.readouterr()
        return code, out + err

    yield run
    use_language("en")
    _reload()


def _reload() -> None:
    groups = (liveavatar_commands, model_commands, render_commands, prompt_commands, trace_commands)
    for module in (options, *groups, commands):
        importlib.reload(module)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name",
    [*("measure", "fix", "export-edit", "doctor", "prepare", "sample"), *("render", "calibrate", "prompt", "traces")],
)
def test_help_is_whole(say: Say, name: str, language: str) -> None:
    code, text = say(name, "--help", language=language)
    assert code == 0
    assert "--lang" in text
    assert "…" not in text  # nothing cut off at 100 columns
    assert not re.search("<(list|str|bool)", text)  # Python's types tell a person nothing
    assert ("语言" in text) == (language == "zh_CN")
    words = {"en": ("Usage: plosive", "Show this message"), "zh_CN": ("用法： plosive", "显示这段说明")}
    assert all(word in text for word in words[language])
    if language == "zh_CN":  # typer's own words, too
        assert not [word for word in ("Usage", "Options", "Arguments", "required", "Show") if word in text]


def test_help_of_groups_is_in_the_users_language(say: Say) -> None:
    for group in ((), ("models",), ("liveavatar",)):
        _, text = say(*group, "--help", language="zh_CN")
        assert "命令" in text
        assert not [word for word in ("Usage", "Options", "Commands", "Show") if word in text]


def test_help_documents_the_exit_codes(say: Say) -> None:
    _, text = say("--help")
    assert all(f" {int(code)} " in " ".join(text.split()) for code in ExitCode)


def test_version(say: Say) -> None:
    code, text = say("--version")
    assert code == 0
    assert text.startswith("plosive 0.")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("measure", "--no-such-option", "a.mp4"), "--no-such-option"),
        (("measure", "--face", "0", "a.mp4"), "--face"),
        (("measure", "--jobs", "many", "a.mp4"), "--jobs"),
        (("measure", "--json"), "PATH"),
        (("fix", "a.mp4", "--auto", "--correction-ms", "3"), "--auto"),
        (("fix", "a.mp4", "--mode", "magic"), "--mode"),
        (("prepare", "a.mp4", "--fps", "0"), "--fps"),
        (("prepare", "a.mp4", "--fps", "1/0"), "--fps"),
        (("measure", "--face"), "--face"),
        (("measure", "--json=yes", "a.mp4"), "--json"),
        (("no-such-command",), "no-such-command"),
        (("measur", "a.mp4"), "measure"),
        (("models", "lst"), "list"),
        (("--lang", "en"), "measure"),
        (("measure",), "PATH"),
        ((), "measure"),
    ],
)
def test_a_wrong_command_line_is_bad_input(say: Say, arguments: tuple[str, ...], named: str, language: str) -> None:
    code, text = say(*arguments, language=language)
    assert code == ExitCode.BAD_INPUT
    assert named in text
    assert not re.search("No such|Missing|does not take|requires", text)  # typer's own words


def test_speaks_the_language_asked_for(plosive: Run) -> None:
    done = plosive("measure", "missing.mp4", "--lang", "zh")
    assert Refusal.of("media.missing", path="missing.mp4").sentence.text("zh_CN") in done.stderr


# --- bad input -----------------------------------------------------------------------------------------------------


def code_of(done: subprocess.CompletedProcess[str]) -> str:
    return str(json.loads(done.stdout)["error"]["code"])


def test_files_that_are_no_clip(plosive: Run, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("This is not a film.")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    clip = make_clip(tmp_path / "whole.mp4", seconds=2).path
    truncated(clip, tmp_path / "cut.mp4", 0.4)
    make_unknown_codec(tmp_path / "unknown.mp4")
    make_encrypted(tmp_path / "locked.mp4")
    expected = {
        "text.mp4": "media.not_media",
        "empty.mp4": "media.empty",
        "folder.mp4": "media.directory",
        "cut.mp4": "media.truncated",
        "locked.mp4": "media.encrypted",
        "nothing.mp4": "media.missing",
        "http://127.0.0.1:9/a.mp4": "media.not_local",
        "concat:a.mp4|b.mp4": "media.not_local",
    }
    done = plosive("measure", "--json", "--jobs", "2", *expected)
    assert done.returncode == ExitCode.BAD_INPUT
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert {record["file"]: record["error"]["code"] for record in records} == expected
    assert all(record["error"]["sentence"] and record["error"]["remedy"] for record in records)


def test_playlists_are_refused(plosive: Run, tmp_path: Path) -> None:
    target = make_clip(tmp_path / "target.mp4", seconds=2)
    lists = make_playlists(tmp_path, target.path)
    done = plosive("measure", "--json", "--jobs", "2", *lists)
    codes = [json.loads(line)["error"]["code"] for line in done.stdout.splitlines()]
    assert done.returncode == ExitCode.BAD_INPUT
    assert set(codes) <= {"media.playlist", "media.not_media"}
    assert len(codes) == len(lists)


def test_clips_without_evidence_are_unmeasurable(plosive: Run, tmp_path: Path) -> None:
    make_clip(tmp_path / "sound.mp4", codec=None, seconds=2)
    make_clip(tmp_path / "picture.mp4", audio_codec=None, seconds=2)
    make_clip(tmp_path / "faceless.mp4", seconds=3)
    make_still(tmp_path / "still.png")
    expected = {"sound.mp4": "no_picture", "picture.mp4": "no_sound", "faceless.mp4": None, "still.png": "no_picture"}
    done = plosive("measure", "--json", "--jobs", "2", *expected)
    assert done.returncode == ExitCode.UNMEASURABLE
    for line in done.stdout.splitlines():
        record = json.loads(line)
        assert record["kind"] == "unmeasurable"
        assert record["offset_ms"] is None
        assert record["reason"] == (expected[record["file"]] or record["reason"])
    assert plosive("fix", "faceless.mp4").returncode == ExitCode.UNMEASURABLE


ODD_NAMES = [
    "with space.mp4",
    'quote\'s "and" more.mp4',
    "new\nline.mp4",
    "-dash.mp4",
    "--json",
    "[bold]brackets[red].mp4",
    "嘴唇与声音.mp4",
    "%d percent %(name)s {braces}.mp4",
    "colon:and|pipe.mp4",
    "e\u0301 🎬.mp4",
    "x" * 230 + ".mp4",
]


@pytest.mark.skipif(os.name == "nt", reason="Windows allows few of these names")
def test_odd_names(plosive: Run, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "plain.mp4", seconds=2).path
    raw = os.fsencode(tmp_path) + b"/bytes-\xff\xfe.mp4"
    names = [*ODD_NAMES, os.fsdecode(raw.rsplit(b"/", 1)[1])]
    for name in names:
        shutil.copy(source, tmp_path / name)
    done = plosive("measure", "--json", "--jobs", "2", "--", *names)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record["file"] for record in records] == names
    assert {record["kind"] for record in records} == {"unmeasurable"}
    said = plosive("measure", "--jobs", "2", "--", *names)
    assert said.returncode == ExitCode.UNMEASURABLE, said.stderr
    assert "new\\nline.mp4" in said.stdout
    assert "[bold]brackets[red].mp4" in said.stdout


@pytest.mark.skipif(os.name == "nt", reason="Windows allows few of these names")
def test_odd_names_can_be_written(plosive: Run, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "plain.mp4", seconds=2).path
    names = [name for name in ODD_NAMES if name.endswith(".mp4")]
    for name in names:
        shutil.copy(source, tmp_path / name)
    done = plosive("fix", "--json", "--correction-ms", "20", "--jobs", "2", "--", *names)
    assert done.returncode == ExitCode.DONE, done.stdout
    outputs = [json.loads(line)["output"] for line in done.stdout.splitlines()]
    assert len(set(outputs)) == len(names)
    assert all((tmp_path / output).exists() for output in outputs)


def test_a_path_of_300_characters(plosive: Run, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 150) / ("e" * 150)
    deep.mkdir(parents=True)
    make_clip(deep / "a.mp4", seconds=2)
    done = plosive("fix", "--correction-ms", "20", deep / "a.mp4")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert len(list(deep.iterdir())) == 2


def test_a_name_longer_than_any_file_system_takes(plosive: Run) -> None:
    assert code_of(plosive("measure", "--json", "n" * 300 + ".mp4")) == "media.missing"


def test_the_clip_itself_is_never_replaced(plosive: Run, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2).path
    before = clip.read_bytes()
    (tmp_path / "link.mp4").symlink_to(clip)
    for target in ("a.mp4", "./a.mp4", "link.mp4"):
        done = plosive("fix", "a.mp4", "--correction-ms", "5", "-o", target, "--overwrite", "--json")
        assert code_of(done) == "export.same_file"
    assert clip.read_bytes() == before


WRITERS = {
    "fix": ("fix", "a.mp4", "--correction-ms", "5", "-o", "b.mp4"),
    "export-edit": ("export-edit", "a.mp4", "--correction-ms", "5", "-o", "b.otio"),
    "prepare": ("prepare", "a.mp4", "-o", "b.wav"),
    "measure": ("measure", "a.mp4", "--plot", "b.png"),
    "traces": ("traces", "a.mp4", "-o", "b.csv"),
    "traces, picture": ("traces", "a.mp4", "-o", "c.csv", "--plot", "b.png"),
}
"""A command line per kind of file that is written; the file is the last word."""


@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_files_are_replaced_only_when_allowed(
    plosive: Run, talking_clip: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "a.mp4").symlink_to(talking_clip)
    target = tmp_path / words[-1]
    target.write_text("mine")
    refused = plosive(*words, "--json")
    assert (refused.returncode, code_of(refused)) == (ExitCode.BAD_INPUT, "export.exists")
    assert target.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", target.name]
    done = plosive(*words, "--json", "--overwrite")
    assert done.returncode in {ExitCode.DONE, ExitCode.OUT_OF_SYNC}, done.stderr
    assert target.stat().st_size > 100


def test_facts_beside_a_prepared_voice_are_replaced_only_when_allowed(plosive: Run, tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", seconds=2)
    (tmp_path / "b.wav.json").write_text("mine")
    assert code_of(plosive("prepare", "a.mp4", "-o", "b.wav", "--json")) == "export.exists"
    assert (tmp_path / "b.wav.json").read_text() == "mine"
    assert not (tmp_path / "b.wav").exists()


@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_no_command_writes_over_its_source(plosive: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=2).path
    source = clip.rename(tmp_path / f"a{Path(words[-1]).suffix}")
    before = source.read_bytes()
    command = [source.name if word in {"a.mp4", words[-1]} else word for word in words]
    assert code_of(plosive(*command, "--json", "--overwrite")) == "export.same_file"
    assert source.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes among its files")
@pytest.mark.parametrize("words", WRITERS.values(), ids=WRITERS)
def test_a_pipe_is_not_replaced_by_a_file(plosive: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    make_clip(tmp_path / "a.mp4", seconds=2)
    os.mkfifo(tmp_path / words[-1])
    assert code_of(plosive(*words, "--json", "--overwrite")) == "export.target_is_no_file"
    assert (tmp_path / words[-1]).is_fifo()


def test_a_folder_that_cannot_be_written(plosive: Run, tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", seconds=2)
    (tmp_path / "file").touch()
    for target in ("file/b.mp4", "none/b.mp4"):
        done = plosive("fix", "a.mp4", "--correction-ms", "5", "-o", target, "--json")
        assert done.returncode == ExitCode.BAD_INPUT
        assert code_of(done).startswith("export.")
    assert plosive("fix", "a.mp4", "--correction-ms", "5", "-o", "file/").returncode == ExitCode.BAD_INPUT
    picture = plosive("measure", "a.mp4", "--plot", "none/p.png")
    assert picture.returncode == ExitCode.BAD_INPUT
    assert "There is no folder “none”." in picture.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(plosive: Run, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    make_clip(folder / "a.mp4", seconds=2)
    folder.chmod(0o500)
    try:
        assert code_of(plosive("fix", folder / "a.mp4", "--correction-ms", "5", "--json")) == "export.read_only"
    finally:
        folder.chmod(0o700)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB, where root can make one."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tmpfs is Linux's")
def test_a_full_disk_loses_nothing(plosive: Run, small_disk: Path, talking_clip: Path) -> None:
    for mode in ("lossless", "compatible"):
        arguments = ("fix", talking_clip, "--correction-ms", "5", "--mode", mode, "-o", small_disk / "b.mp4", "--json")
        assert code_of(plosive(*arguments)).startswith("export.disk_")
        assert list(small_disk.iterdir()) == []
    (small_disk / "filler").write_bytes(bytes(290_000))
    plotted = plosive("measure", talking_clip, "--plot", small_disk / "p.png")
    assert plotted.returncode == ExitCode.BAD_INPUT
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_damaged_files(plosive: Run, tmp_path: Path) -> None:
    check_damage(plosive, tmp_path, 12)


@pytest.mark.slow
def test_500_damaged_files(plosive: Run, tmp_path: Path) -> None:
    check_damage(plosive, tmp_path, 500)


def check_damage(plosive: Run, tmp_path: Path, count: int) -> None:
    """Measure cut and bit-flipped variants of ten small files; each must end with an answer or a refusal."""
    folder = tmp_path / "whole"
    folder.mkdir()
    sources = [
        make_clip(folder / "a.mp4", seconds=1).path,
        make_clip(folder / "b.mov", seconds=1, audio_codec="pcm_s16le").path,
        make_clip(folder / "c.mkv", seconds=1).path,
        make_clip(folder / "d.webm", seconds=1, codec="libvpx", audio_codec="libopus").path,
        make_clip(folder / "e.ts", seconds=1, audio_codec="mp2").path,
        make_clip(folder / "f.avi", seconds=1, codec="mpeg4", bframes=0, audio_codec="mp3").path,
        make_clip(folder / "g.flv", seconds=1, audio_codec="mp3", sample_rate=44_100).path,
        make_clip(folder / "h.mp4", seconds=1, rotation=90).path,
        make_clip(folder / "i.mkv", seconds=1, audio_codec="flac").path,
        make_clip(folder / "j.mp4", seconds=1, audio_codec=None).path,
    ]
    broken = tmp_path / "broken"
    broken.mkdir()
    for number, damage in enumerate(damages(count)):
        source = sources[number % len(sources)]
        (broken / f"{number:04d}{source.suffix}").write_bytes(damage.apply(source.read_bytes()))
    done = plosive("measure", "--json", "--jobs", "2", "broken", seconds=60 + 20 * count)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(records) == count
    faults = [record for record in records if record.get("error", {}).get("code") == "cli.fault"]
    assert faults == []
    assert done.returncode in {ExitCode.UNMEASURABLE, ExitCode.BAD_INPUT}


# --- Ctrl-C --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_ctrl_c_at_any_time(command: Callable[..., list[str]], tmp_path: Path, talking_clip: Path) -> None:
    arguments = command("fix", talking_clip, "--correction-ms", "-80", "--mode", "compatible", "-o", tmp_path / "b.mp4")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    begin = time.monotonic()
    subprocess.run(arguments, cwd=tmp_path, env=environment, capture_output=True, check=True)
    whole = time.monotonic() - begin
    expected = (tmp_path / "b.mp4").read_bytes()
    (tmp_path / "b.mp4").unlink()
    for number, share in enumerate((0.02, 0.1, 0.25, 0.4, 0.6, 0.8)):
        process = subprocess.Popen(
            arguments,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            process.wait(share * whole)
        except subprocess.TimeoutExpired:
            # From a keyboard the signal reaches every process of the group, from a program only this one.
            (os.killpg if number % 2 else os.kill)(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=20)
        if (tmp_path / "b.mp4").exists():  # it was faster this time; then the copy is whole
            assert (tmp_path / "b.mp4").read_bytes() == expected
            (tmp_path / "b.mp4").unlink()
        elif process.returncode not in {ExitCode.INTERRUPTED, -signal.SIGINT} or said:  # shells call both 130
            # Only before `main` runs, when Python itself has to end: with a word of its own.
            assert b"KeyboardInterrupt" in said, (share, process.returncode, said)
            # Python's own start, which is frozen, has a `main`, too.
            assert not re.search(rb'File "(?!<frozen)[^"]*", line \d+, in main', said), (share, said)
        assert list(tmp_path.iterdir()) == [], share


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_closed_pipe_is_no_failure(command: Callable[..., list[str]], tmp_path: Path) -> None:
    for name in "abcdef":
        (tmp_path / f"{name}.mp4").write_text("not media")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = command("measure", "--json", tmp_path)
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
