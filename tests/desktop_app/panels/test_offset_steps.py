"""What people write about moving the mouth from certain times on."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_app.panels.generation.offset_steps import Steps, read_steps, written_steps


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", ()),
        ("0:30 20 ms earlier", ((Fraction(30), -20.0),)),
        ("30 s 20 later; 0:05 1.5 e", ((Fraction(5), -1.5), (Fraction(30), 20.0))),
        ("1:02:03.25 -40;", ((Fraction("3723.25"), -40.0),)),
        ("0:30\u2003提前 20；1：05 推后 10", ((Fraction(30), -20.0), (Fraction(65), 10.0))),
        ("0:30: 0", ((Fraction(30), 0.0),)),
        ("30", None),
        ("soon 20 later", None),
        ("0:30 much earlier", None),
        ("0:30 20 later; 30 10 later", None),
    ],
)
def test_what_was_written_is_understood(text: str, steps: Steps | None) -> None:
    earlier, later = ("提前", "推后") if "提前" in text else ("earlier", "later")
    assert read_steps(text, earlier, later) == steps


@given(
    st.dictionaries(
        st.integers(0, 10**8).map(lambda ms: Fraction(ms, 1000)), st.integers(-5000, 5000).map(lambda n: n / 10)
    )
)
def test_what_is_shown_is_understood_as_it_was_meant(steps: dict[Fraction, float]) -> None:
    ordered = tuple(sorted(steps.items()))
    assert read_steps(written_steps(ordered)) == ordered
