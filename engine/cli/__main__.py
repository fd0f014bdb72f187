"""``python -m engine.cli`` is ``plosive``."""

from engine.cli.program import main

main()
