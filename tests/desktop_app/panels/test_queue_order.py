"""The order of the queue's rows, against sorting everything anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop_app.panels.queue_order import RowOrder

_KEY = st.integers(0, 5)


@given(keys=st.lists(_KEY, min_size=1, max_size=30), changes=st.data(), descending=st.booleans())
def test_rows_are_where_sorting_anew_would_put_them(keys: list[int], changes: st.DataObject, descending: bool) -> None:
    order = RowOrder(keys, descending=descending)
    for _ in range(10):
        place, key = changes.draw(st.integers(0, len(keys) - 1)), changes.draw(_KEY)
        expected = order.row_with(place, key)
        order.change(place, key)
        keys[place] = key
        assert order.row(place) == expected
        wanted = sorted(range(len(keys)), key=lambda place: (keys[place], place), reverse=descending)
        assert [order.place(row) for row in range(len(order))] == wanted
        assert [order.row(place) for place in wanted] == list(range(len(keys)))
