"""How the window's modules depend on each other."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


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
