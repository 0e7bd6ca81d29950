"""Shapes in the address: what is written is read back, and other text is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.platform.errors import RequestError
from ui.session.shape_text import MOST_CHARACTERS, encode_shape, list_rings, make_shape, parse_shape_text

vertices = st.tuples(st.floats(-179.0, 179.0), st.floats(-90.0, 90.0))
rings = st.lists(vertices, min_size=3, max_size=12)


@given(st.lists(rings, min_size=1, max_size=3))
def test_a_shape_comes_back_within_a_tenth_of_a_metre(given_rings: list[list[tuple[float, float]]]) -> None:
    text = encode_shape(make_shape(given_rings))
    assert text is not None
    found = list_rings(parse_shape_text(text))
    assert [len(ring) for ring in found] == [len(ring) for ring in given_rings]
    for ring, other in zip(given_rings, found, strict=True):
        np.testing.assert_allclose(np.array(other), np.array(ring), atol=5.1e-7)
    assert encode_shape(parse_shape_text(text)) == text


def test_the_text_is_a_flexible_polyline() -> None:
    """The points of the example in the format's description, whose text has 5 decimals."""
    points = [[8.69821, 50.10228], [8.69567, 50.10201], [8.6915, 50.10063], [8.68752, 50.09878]]
    assert encode_shape(make_shape([points])) == "BGwggy_Ck28yQ7Q3-En2CzkIzzD34H"


@pytest.mark.parametrize("text", ["", "7.5,45", "BG", "BF0", "BG~", "BGg", "BGAAAA", "BGAAA"])
def test_what_is_no_shape_is_refused(text: str) -> None:
    with pytest.raises((ValueError, RequestError)):
        parse_shape_text(text)


def test_a_long_shape_has_no_text() -> None:
    turns = np.linspace(0, 2 * np.pi, 2 * MOST_CHARACTERS, endpoint=False)
    assert encode_shape(make_shape([np.stack([7 + np.cos(turns), 45 + np.sin(turns)], axis=1).tolist()])) is None
