"""How the window's modules depend on each other."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

GROUND = {"actions", "icons", "images", "letters", "marking", "places", "theme", "tones"}
"""Modules directly in ``desktop_app`` that every room above ``document`` may use."""
BELOW = {
    "document": {"marking"},
    **dict.fromkeys(GROUND, GROUND | {"document"}),
    "widgets": GROUND,
    "work": GROUND | {"document"},
    "player": GROUND | {"document"},
    "timeline": GROUND | {"document", "widgets", "work"},
    "panels": GROUND | {"document", "widgets", "work", "player", "timeline"},
    "shell": GROUND | {"document", "widgets", "work", "player", "timeline", "panels", "studio"},
}
"""Rooms and what each stands on; everything else directly in ``desktop_app`` stands on top of them all."""


def imported(path: Path, modules: set[str]) -> set[str]:
    """Return the project's modules that a file imports, also for type checking only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found & modules


def test_no_two_modules_of_the_window_need_each_other() -> None:
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "desktop_app").rglob("*.py")
    }
    graph = {name: imported(path, set(files)) - {name} for name, path in files.items()}
    assert "desktop_app.action_list" in graph["desktop_app.window"]  # or the search above has gone blind
    TopologicalSorter(graph).prepare()  # raises for a circle, naming it


def test_rooms_stand_on_each_other_in_one_order() -> None:
    window = ROOT / "desktop_app"
    assert {path.name for path in window.iterdir() if any(path.glob("*.py"))} <= set(BELOW)
    modules = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in window.rglob("*.py")}
    wrong = [
        f"{module} imports {needed}"
        for path, module in modules.items()
        if (place := module.split(".")[1]) in BELOW
        for needed in imported(path, set(modules.values()))
        if needed.split(".")[1] not in BELOW[place] | {place}
    ]
    assert wrong == []
