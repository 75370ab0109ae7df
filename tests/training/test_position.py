from __future__ import annotations

import pytest

from layerscope.training.position import NOTHING, Position, read_position, write_position


def test_what_was_written_is_read(tmp_path):
    write_position(tmp_path / "checkpoints", Position(3, 17))
    assert read_position(tmp_path / "checkpoints") == Position(3, 17)


def test_a_run_without_a_point_stands_before_everything(tmp_path):
    assert read_position(tmp_path) == Position(NOTHING, 0) < Position(0, 0)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"epoch": "x", "step": 0}', '{"epoch": null}'])
def test_what_cannot_be_understood_counts_as_nothing(tmp_path, content):
    (tmp_path / "progress.json").write_text(content)
    assert read_position(tmp_path) == Position()


def test_later_is_greater():
    assert Position(0, 5) < Position(1, 0) < Position(1, 1) < Position(2)
