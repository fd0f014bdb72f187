"""What holds for the project as a whole: which way imports point, what must not be in it, words in every language."""

from __future__ import annotations

import ast
import re
import string
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from engine import verbs
from engine.cli.exit_codes import ExitCode
from engine.fix_report import FixReport
from engine.sync.result import Kind, Measurement, Reason
from engine.words import LANGUAGES, Message

ROOT = Path(__file__).resolve().parent.parent
ENGINE = ROOT / "engine"

GROUND = {"jobs", "places", "refusal", "timing", "words"}
"""Modules directly in ``engine`` that every room may use."""
ROOMS = {
    "media": set(),
    "sound": {"media"},
    "face": {"media"},
    "sample": {"media", "sound"},
    "models": {"media"},
    "sync": {"media", "sound", "face", "models"},
    "generation": {"media", "sound", "face", "models", "sync", "sample"},
}
"""Rooms and the rooms below each; everything else directly in ``engine`` stands on top of them all."""

HEAVY = ("torch", "cv2", "mediapipe", "librosa", "diffusers", "transformers", "matplotlib", "scipy", "PySide6", "typer")
LIGHT = (
    "engine.timing",
    "engine.words",
    "engine.sync.result",
    "engine.media.probe",
    "engine.sound.finding",
    "engine.models.finder",
    "engine.models.checking",
    "engine.models.importing",
    "engine.models.downloading",
    "engine.sync.syncnet.result",
    "engine.generation.backends.musetalk.engine",
)


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


NEURAL = ("models", "generation", "sync/syncnet")
"""The only places of the engine that may use torch and what stands on it."""


def test_engine_imports_no_qt_and_torch_only_where_networks_are() -> None:
    qt = {"PySide6", "PyQt5", "PyQt6", "shiboken6", "pyqtgraph", "desktop_app"}
    neural = {"torch", "diffusers", "transformers", "accelerate", "safetensors", "huggingface_hub"}
    wrong = [
        (path.relative_to(ENGINE).as_posix(), name)
        for path in python_files(ENGINE)
        for name in imports(path)
        if name.split(".")[0] in (qt if path.relative_to(ENGINE).as_posix().startswith(NEURAL) else qt | neural)
    ]
    assert wrong == []


def test_imports_point_downwards() -> None:
    wrong = []
    for path in python_files(ENGINE):
        place = path.relative_to(ENGINE).parts
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "engine" or len(parts) < 2:
                continue
            target = parts[1]
            if place[0] == "cli":  # on top of everything, as the modules directly in ``engine``
                continue
            if len(place) > 1:  # inside a room
                allowed = ROOMS[place[0]] | GROUND | {place[0]}
            elif place[0].removesuffix(".py") in GROUND:
                allowed = GROUND
            else:
                continue
            if target not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_no_engine_reaches_into_another() -> None:
    backends = ENGINE / "generation" / "backends"
    engines = {folder.name for folder in backends.iterdir() if (folder / "__init__.py").exists()}
    assert "musetalk" in engines
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for engine in sorted(engines)
        for path in python_files(backends / engine)
        for name in imports(path)
        if any(name.startswith(f"engine.generation.backends.{other}.") for other in engines - {engine})
    ]
    assert wrong == []


def engine_graph() -> dict[str, set[str]]:
    """Return the engine's modules and those that each of them imports, wherever in it."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in python_files(ENGINE)
    }
    graph = {}
    for module, path in modules.items():
        names = set(imports(path)) & modules.keys()
        # ``from room import module`` is about the module, not about its room.
        graph[module] = {name for name in names if not any(other.startswith(f"{name}.") for other in names)} - {module}
    return graph


def test_no_two_modules_of_the_engine_need_each_other() -> None:
    graph = engine_graph()
    assert "engine.sync.measure" in graph["engine.fix"]  # or the search has gone blind
    TopologicalSorter(graph).prepare()  # raises for a circle, naming it


def test_nothing_but_programs_stands_on_the_command_line() -> None:
    graph = engine_graph()
    above = {
        module
        for module, needed in graph.items()
        if not module.startswith("engine.cli") and any(name.startswith("engine.cli") for name in needed)
    }
    assert above == {"engine.demo", "engine.packaged"}


def test_no_engine_knows_another() -> None:
    backends = "engine.generation.backends."
    folders = {path.name for path in (ENGINE / "generation" / "backends").iterdir() if (path / "engine.py").exists()}
    assert len(folders) == 4
    wrong = [
        (module, name)
        for module, needed in engine_graph().items()
        for name in needed
        if module.startswith(backends)
        and name.startswith(backends)
        and (mine := module.split(".")[3]) in folders
        and (other := name.split(".")[3]) in folders
        and mine != other
    ]
    assert wrong == []


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not set(HEAVY) & set(loaded)


def test_command_line_starts_without_numpy() -> None:
    """``plosive --help`` must answer at once; NumPy alone costs a tenth of a second."""
    code = (
        "import sys; from engine.cli.commands import run_command; run_command(['--help']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "measure" in done.stdout
    assert not {"numpy", "av", "scipy", "matplotlib", "multiprocessing"} & set(done.stderr.split())


def test_nothing_of_the_makers_machines_is_in_the_project() -> None:
    # Put together from pieces, so that this file does not find itself.
    hosts = "|".join(("pypi" + r"\.org", "python" + "hosted", "deb" + r"\.debian", "registry" + r"\.npmjs"))
    places = "|".join("/" + place + "/" for place in ("work", "root", "farm"))
    pattern = re.compile(rf"{hosts}|(?<![\w.]){places}|/home/\w+/|[A-Z]:\\\\Users")
    markers = "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error"))
    open_ends = re.compile(rf"\b(?:{markers})\b")
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line) or open_ends.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
            if "../shared" in line and "PLOSIVE_" not in line and "shared/clips" not in line and "golden" not in line:
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_no_large_files() -> None:
    assert [path.name for path in tracked_files() if path.stat().st_size > 1_000_000 and path.suffix != ".png"] == []


# --- words ---------------------------------------------------------------------------------------------------------


def catalogue(language: str) -> dict[str, str]:
    found: dict[str, str] = {}

    def flatten(table: dict[str, object], prefix: str) -> None:
        for name, value in table.items():
            if isinstance(value, dict):
                flatten(value, f"{prefix}.{name}")
            else:
                found[f"{prefix}.{name}"] = str(value)

    for file in sorted((ROOT / "resources" / "words" / language).glob("*.toml")):
        flatten(tomllib.loads(file.read_text(encoding="utf-8")), file.stem)
    return found


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


ENGLISH = catalogue(LANGUAGES[0])


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_languages_are_complete(language: str) -> None:
    other = catalogue(language)
    assert other.keys() == ENGLISH.keys()
    assert {key for key in other if placeholders(other[key]) != placeholders(ENGLISH[key])} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty(language: str) -> None:
    assert [key for key, text in catalogue(language).items() if not text.strip()] == []


def test_chinese_uses_chinese_punctuation() -> None:
    text = catalogue("zh_CN")
    halves = re.compile(r"[\u4e00-\u9fff][,;?!]|[\u4e00-\u9fff]\.(?:\s|$)")
    assert [key for key, sentence in text.items() if halves.search(sentence)] == []


def said() -> Iterator[tuple[str, str, set[str] | None]]:
    """Yield where, which key, and with which values (``None`` when they cannot be told) sentences are built."""
    pair = (".sentence", ".remedy")
    builders = {"Message": ("",), "because": pair, "of": pair, "say": ("",)}
    for path in [*python_files(ENGINE), ROOT / "environment.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            owner = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
            key = node.args[0].value
            if name not in builders or not isinstance(key, str) or (name == "of" and owner != "Refusal"):
                continue
            if name == "say":
                key = f"cli.{key}"
            names = {word.arg for word in node.keywords}
            given = None if None in names else {str(name) for name in names}
            for part in builders[name]:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", key + part, given


def test_every_sentence_that_is_said_exists_and_gets_its_values() -> None:
    calls = list(said())
    assert len(calls) > 50  # or the search above has gone blind
    assert [(place, key) for place, key, _ in calls if key not in ENGLISH] == []
    short = [
        (place, key) for place, key, given in calls if given is not None and not placeholders(ENGLISH[key]) <= given
    ]
    assert short == []


def test_every_stage_of_work_has_a_name() -> None:
    stages = set()
    for path in python_files(ENGINE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Progress" and node.args:
                stages |= {value.value for value in ast.walk(node.args[0]) if isinstance(value, ast.Constant)}
    assert "looking" in stages
    assert {stage for stage in stages if f"cli.stage.{stage}" not in ENGLISH} == set()


def test_every_reason_has_a_sentence() -> None:
    for what in ("reason", "next_step"):
        assert {reason for reason in Reason if f"sync.{what}.{reason}" not in ENGLISH} == set()


# --- what is documented --------------------------------------------------------------------------------------------


def test_readme_names_every_exit_code_json_name_and_verb() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = Measurement("a.mp4", Kind.IN_SYNC, Message("sync.notice.nobody"))
    assert [name for name in example.to_json() if f"`{name}`" not in text] == []
    fixed = FixReport("a.mp4", None, Message("sync.notice.nobody"))
    assert [name for name in fixed.to_json() if f"`{name}`" not in text] == []
    public = [name for name, verb in vars(verbs).items() if getattr(verb, "__module__", "") == verbs.__name__]
    assert [name for name in public if not name.startswith("_") and f"`{name}`" not in text] == []
    assert [int(code) for code in ExitCode if f"| {int(code)} |" not in text] == []


def test_pictures_of_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"!?\[[^\]]*\]\(([^)#]+)\)", text)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_constraints_pin_every_direct_dependency_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line)] == []
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = [name for group in groups for name in group]
    names = {re.split(r"[<>=\[; ]", name)[0].lower().replace("_", "-") for name in wanted} - {"plosive"}
    assert names <= pinned
