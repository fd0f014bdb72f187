"""A render in a process of its own, to be killed; it prints how far it is.

``python -m tests.engine.generation.killed SPEC [echoes]``
"""

from __future__ import annotations

import sys
from pathlib import Path

from engine.generation import registry
from engine.generation.render import render
from engine.generation.spec import RenderSpec
from engine.jobs import run
from tests.engine.generation.conftest import FakePoint
from tests.engine.generation.grey_engine import GreyEngine


def main() -> None:
    """Render the saved spec with the grey engine; ``echoes`` as second argument makes segments depend on each other."""
    engine = GreyEngine(echoes="echoes" in sys.argv)
    registry.entry_points = lambda **_: [FakePoint("grey", lambda: engine)]  # type: ignore[assignment]
    spec = RenderSpec.load(Path(sys.argv[1]))
    run(render(spec), lambda progress: print(f"{progress.done:.4f}", flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
