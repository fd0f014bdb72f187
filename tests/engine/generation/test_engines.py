"""Engines are found, described and run wherever they come from; one that fails spoils nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.generation.backend import Parameter, ParameterKind
from engine.generation.demands import first_demands
from engine.generation.external import external_folder
from engine.generation.machine import GpuMonitor, cores, host, memory, resident_bytes
from engine.generation.presets import preset, presets
from engine.generation.registry import engine_list, engine_names, open_engine
from engine.generation.render import render
from engine.generation.report import RenderReport
from engine.generation.spec import Offload, Precision, RenderSpec
from engine.jobs import Progress, run
from engine.media.frames import read_frames
from engine.refusal import Refusal, Refused
from engine.wire import from_line, to_line
from engine.words import LANGUAGES, Message
from tests.engine.generation.conftest import make_spec
from tests.engine.generation.grey_engine import GreyEngine

SENTENCE = Message("generation.verdict.skipped")


def test_own_engines_come_first_then_others_by_name(offer: Callable[..., None]) -> None:
    offer(zebra=GreyEngine, ape=GreyEngine)
    names = engine_names()
    assert names[0] == "draft"
    assert names[-2:] == ("ape", "zebra")
    assert isinstance(open_engine("zebra"), GreyEngine)


def test_everything_that_engines_say_has_words_and_travels() -> None:
    """This holds for every engine that comes with the program."""
    for status in engine_list():
        assert status.problem is None
        capabilities = status.capabilities
        assert capabilities is not None
        assert capabilities.name == status.name
        assert from_line(to_line(status)) == status
        for each in capabilities.parameters:
            assert each.problem(each.default) is None, each.name
        said = [capabilities.title, capabilities.about]
        said += [message for each in capabilities.parameters for message in (each.title, each.help)]
        said += [each.sentence for each in capabilities.requirements]
        assert all(message.text(language) for message in said for language in LANGUAGES)


def test_a_package_that_fails_is_listed_with_its_problem(offer: Callable[..., None]) -> None:
    def broken() -> GreyEngine:
        raise ImportError("no module named elsewhere")

    offer(broken=broken, grey=GreyEngine)
    listed = {status.name: status for status in engine_list()}
    assert listed["grey"].is_ready
    assert not listed["broken"].is_ready
    problem = listed["broken"].problem
    assert problem is not None
    assert "elsewhere" in str(problem)
    with pytest.raises(Refused) as caught:
        open_engine("nobody")
    assert "draft" in str(caught.value.refusal)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (ParameterKind.FLAG, [True], [1, "true"]),
        (ParameterKind.WHOLE, [1, 5], [0, 6, 2.0, True, "3"]),
        (ParameterKind.NUMBER, [1, 4.5], [0.5, 5.1, float("nan"), False, "2"]),
        (ParameterKind.CHOICE, ["a"], ["c", 1]),
        (ParameterKind.TEXT, [""], [1, None]),
    ],
)
def test_parameters_take_what_they_say(kind: ParameterKind, good: list[object], bad: list[object]) -> None:
    numbers = {"minimum": 1.0, "maximum": 5.0} if kind in {ParameterKind.WHOLE, ParameterKind.NUMBER} else {}
    parameter = Parameter("p", kind, "a", SENTENCE, SENTENCE, choices=("a", "b"), **numbers)
    assert [value for value in good if parameter.problem(value) is not None] == []  # type: ignore[arg-type]
    for value in bad:
        problem = parameter.problem(value)  # type: ignore[arg-type]
        assert problem is not None
        assert all(problem.remedy.text(language) for language in LANGUAGES)


def test_presets_are_named_and_leave_engines_what_they_do_not_know() -> None:
    assert [each.name for each in presets()] == ["calibrate_quickly", "balanced", "best"]
    capabilities = GreyEngine().capabilities()
    spec = RenderSpec(Path("f"), Path("v"), Path("c.mp4"), engine="grey")
    for each in presets():
        assert each.title.text("zh_CN") != each.title.text("en")
        assert each.about.text()
        assert each.applied(spec, capabilities).parameters == {}
        assert each.applied(spec, capabilities).problem() is None
    quick = replace(presets()[0], parameters={"grey": {"gain": 2.0, "pain": 1.0}})
    assert quick.applied(spec, capabilities).parameters == {"gain": 2.0}
    assert replace(quick, parameters={"grey": {"gain": 99.0}}).applied(spec, capabilities).parameters == {}
    width, height = quick.size((1920, 1080), capabilities) or (0, 0)
    assert 0.9 * 262144 < width * height <= 262144
    assert quick.size((64, 64), capabilities) is None
    usual = replace(capabilities, usual_pixels=704 * 384)
    assert preset("balanced").size((1920, 1080), usual) is None  # the engine's own size is smaller than the preset's
    width, height = quick.size((1920, 1080), usual) or (0, 0)
    assert 0.9 * 262144 < width * height <= 262144
    with pytest.raises(Refused):
        preset("worst")


def test_presets_name_only_parameters_that_their_engines_have() -> None:
    known = {
        status.name: {each.name: each for each in status.capabilities.parameters}
        for status in engine_list()
        if status.capabilities is not None
    }
    for each in presets():
        for engine, values in each.parameters.items():
            if engine not in known:
                continue
            for name, value in values.items():
                assert known[engine][name].problem(value) is None


def test_the_machine_is_known(tmp_path: Path) -> None:
    total, free = memory()
    assert 0 < free <= total
    assert 1 << 20 < resident_bytes() < total
    assert cores() >= 1
    found = host(tmp_path / "not" / "yet")
    assert found.free_disk_bytes > 0
    assert len(GpuMonitor().readings()) == len(found.gpus)


def test_demands_begin_with_the_best(tmp_path: Path) -> None:
    here, spec = replace(host(tmp_path), gpus=()), RenderSpec(Path("f"), Path("v"), Path("c.mp4"))
    capabilities = GreyEngine().capabilities()
    devices = first_demands(spec, capabilities, here).devices
    assert (devices.names, devices.offload, devices.precision) == (("cpu",), Offload.NONE, Precision.FP32)
    with pytest.raises(Refused) as caught:
        first_demands(spec, replace(capabilities, needs_gpu=True), here)
    assert caught.value.refusal.code == "generation.no_gpu"


# --- commands of the user's own ------------------------------------------------------------------------------------

MAKER = """
import sys, av, numpy as np
source, voice, output, note = sys.argv[1:5]
assert open(source, "rb").read(4) and open(voice, "rb").read(4) == b"RIFF"
open(note, "a").write("made\\n")
with av.open(output, "w") as container:
    stream = container.add_stream("libx264", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
    for number in range(50):
        print(f"{2 * number}%", flush=True)
        pixels = np.full((64, 64, 3), 40 + 3 * number, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format="yuv420p")))
    container.mux(stream.encode(None))
"""


def describe(name: str, *command: str, **more: str) -> None:
    """Write the description of an external engine."""
    folder = external_folder()
    folder.mkdir(parents=True, exist_ok=True)
    lines = ['title = "Mine"', f"command = {list(command)!r}", *(f"{key} = {value}" for key, value in more.items())]
    (folder / f"{name}.toml").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Describe a command that makes brighter and brighter pictures; return where it notes that it ran."""
    script = tmp_path / "make it.py"
    script.write_text(MAKER, encoding="utf-8")
    note = tmp_path / "note"
    describe("mine", sys.executable, str(script), "{source}", "{voice}", "{output}", str(note), progress=r"'(\d+)%'")
    return note


def test_a_command_is_an_engine_like_any_other(tmp_path: Path, mine: Path) -> None:
    assert "mine" in engine_names()
    shares: list[float] = []
    spec = make_spec(tmp_path, engine="mine")
    report = run(render(spec), lambda progress: shares.append(progress.done))
    assert isinstance(report, RenderReport), report
    levels = [float(frame.image.mean()) for frame in read_frames(report.path)]
    assert len(levels) == 50
    np.testing.assert_allclose(levels, 40 + 3 * np.arange(50), atol=3)  # twice through H.264
    assert mine.read_text(encoding="ascii") == "made\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only there does a packaged program say where libraries are")
@pytest.mark.parametrize("before", ["/opt/own/lib", None])
def test_a_packaged_program_keeps_its_libraries_to_itself(
    tmp_path: Path, mine: Path, before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "make it.py"
    asked = "import os\nopen(sys.argv[4], 'w').write(os.environ.get('LD_LIBRARY_PATH', 'none'))\n"
    script.write_text(MAKER + asked, encoding="utf-8")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "of the package"))
    if before is not None:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    assert isinstance(run(render(make_spec(tmp_path, engine="mine"))), RenderReport)
    assert mine.read_text(encoding="utf-8") == (before or "none")


def test_a_command_is_not_run_again_for_what_is_missing(tmp_path: Path, mine: Path) -> None:
    class Enough(Exception):  # noqa: N818
        """The user had enough."""

    def stop(progress: Progress) -> None:
        if progress.stage == "rendering" and progress.done > 0.5:
            raise Enough

    spec = make_spec(tmp_path, engine="mine")
    with pytest.raises(Enough):
        run(render(spec), stop)
    assert isinstance(run(render(spec)), RenderReport)
    assert mine.read_text(encoding="ascii") == "made\n"


def test_a_command_whose_folder_is_gone_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "moved away"
    describe("mine", sys.executable, "-c", "pass", "{output}", folder=repr(str(gone)))
    answer = run(render(make_spec(tmp_path, engine="mine")))
    assert isinstance(answer, Refusal)
    assert answer.code == "generation.external_not_started"
    assert str(gone) in str(answer)


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("print('no weights here'); raise SystemExit(3)", "generation.external_failed"),
        ("pass", "generation.external_made_nothing"),
    ],
)
def test_a_command_that_fails_says_why(tmp_path: Path, code: str, refusal: str) -> None:
    describe("mine", sys.executable, "-c", code, "{output}")
    result = run(render(make_spec(tmp_path, engine="mine")))
    assert isinstance(result, Refusal)
    assert result.code == refusal
    if "weights" in code:
        assert "no weights here" in str(result)


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_a_cancelled_command_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child = "import time; time.sleep(60)"
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    describe("mine", sys.executable, "-c", code, "{output}")
    job = render(make_spec(tmp_path, engine="mine"))
    for _ in job:
        if pid_file.exists() and pid_file.read_text(encoding="ascii"):
            break
    job.close()
    pid = int(pid_file.read_text(encoding="ascii"))
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize(
    "text", ["", "title = 3", 'title = "x"\ncommand = ["a"]', 'title = "x"\ncommand = "{output}"', "="]
)
def test_a_description_that_makes_no_sense_is_refused(text: str) -> None:
    folder = external_folder()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    listed = {status.name: status for status in engine_list()}
    problem = listed["mine"].problem
    assert problem is not None
    assert problem.code == "generation.external_unreadable"


def test_a_missing_program_is_said_to_be_missing() -> None:
    describe("mine", "no-such-program-anywhere", "{output}")
    listed = {status.name: status for status in engine_list()}
    assert not listed["mine"].is_ready
    assert listed["mine"].problem is None
