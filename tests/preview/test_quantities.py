"""Numbers are written with three digits and a unit."""

from __future__ import annotations

import pytest

from layerscope.preview.quantities import bytes_text, count_text, hours_text, plural, shape_text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (12_345, "12.3 kB"),
        (881_024, "881 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (9_999_999, "10.0 MB"),
        (83_600_000_000, "83.6 GB"),
        (4 * 10**18, "4000 PB"),
    ],
)
def test_bytes(count, text):
    assert bytes_text(count) == text


def test_other_numbers():
    assert [count_text(count) for count in (7, 217_600, 11_181_642)] == ["7", "217,600", "11.2 M"]
    assert [hours_text(hours) for hours in (0, 0.5, 13, 12.6, 80_000)] == ["0", "0.5", "13", "13", "80,000"]
    assert [plural(count, "run") for count in (0, 1, 1200)] == ["0 runs", "1 run", "1,200 runs"]
    assert shape_text((3, 32, 32)) == "3x32x32"
