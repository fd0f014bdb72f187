"""Small widgets on their own."""

from __future__ import annotations

import pytest

from desktop_app.widgets.move_box import understood


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("83", 83.0),
        ("-83", -83.0),
        ("\u221283", -83.0),
        ("83 earlier", -83.0),
        ("83 ms earlier", -83.0),
        ("83.5ms e", -83.5),
        ("20 later", 20.0),
        ("0.1 s later", 100.0),
        ("0,25s", 250.0),
        ("提前 83.0 毫秒", -83.0),
        ("推后 0.5 秒", 500.0),
        ("9e9", 9.0),
        ("99999999", 600_000.0),
        ("", None),
        ("nonsense", None),
        ("not moved", None),
    ],
)
def test_a_typed_move_is_understood(text: str, ms: float | None) -> None:
    assert understood(text, "提前", "推后") == ms
