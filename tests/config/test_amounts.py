"""Memory and time as Slurm's users write them."""

from __future__ import annotations

import pytest

from layerscope.config.amounts import mem_bytes, minutes


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("16GB", 16 * 2**30),
        ("16G", 16 * 2**30),
        ("16 gib", 16 * 2**30),
        ("500MB", 500 * 2**20),
        ("1.5G", 3 * 2**29),
        ("2T", 2**41),
        ("1024K", 2**20),
    ],
)
def test_memory_is_counted_as_slurm_does(size, count):
    assert mem_bytes(size) == count


@pytest.mark.parametrize("size", ["16", "", "-1GB", "16XB", "GB", "1e3MB", "16GB per node"])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match="is not a size such as 16GB"):
        mem_bytes(size)


@pytest.mark.parametrize("size", ["0GB", "0.0001MB", "1000K"])
def test_less_than_a_megabyte_is_refused(size):
    with pytest.raises(ValueError, match="less than a megabyte"):
        mem_bytes(size)


@pytest.mark.parametrize(
    ("time", "count"),
    [
        (90, 90),
        ("90", 90),
        ("90m", 90),
        ("90 min", 90),
        ("4h", 240),
        ("1h30m", 90),
        ("2d", 2880),
        ("1d12h", 2160),
        ("4:00:00", 240),
        ("0:00:01", 1),
        ("0:59:59", 60),
        ("2-00:00:00", 2880),
        ("1-12", 2160),
        ("1-12:30", 2190),
    ],
)
def test_every_way_to_write_a_time_is_whole_minutes(time, count):
    assert minutes(time) == count


def test_four_hours_are_not_four_minutes():
    with pytest.raises(ValueError, match="may mean hours or minutes; write it as 4:00:00"):
        minutes("4:00")


@pytest.mark.parametrize("time", ["", "soon", "-5", "1.5h", "4h4h", "UNLIMITED", "h"])
def test_what_is_no_time_is_refused(time):
    with pytest.raises(ValueError, match="is not a time such as 90"):
        minutes(time)


@pytest.mark.parametrize(
    ("time", "wrong"),
    [
        (0, "leaves no time"),
        (-3, "leaves no time"),
        ("0:00:00", "leaves no time"),
        (10**6, "more than a year"),
    ],
)
def test_no_time_and_too_much_of_it_are_refused(time, wrong):
    with pytest.raises(ValueError, match=wrong):
        minutes(time)
