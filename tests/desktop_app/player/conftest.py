"""What the tests of the player share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread


@pytest.fixture
def sound_thread(qapp: object) -> Iterator[QThread]:
    """Run a thread in which sound devices are filled."""
    del qapp
    thread = QThread()
    thread.start()
    yield thread
    thread.quit()
    thread.wait()
