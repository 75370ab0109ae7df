from __future__ import annotations

from dataclasses import replace
from math import inf, isnan, nan

import pytest

from layerscope.errors import DamagedFile
from layerscope.training.log import EpochLog, EpochRow

ROW = EpochRow(1, 0.1, 0.9, 1 / 3, 0.8, 5e-4, 1.25, 1e5)


@pytest.fixture
def log(tmp_path):
    log = EpochLog(tmp_path / "run" / "log.csv")
    for epoch in range(4):
        log.append(replace(ROW, epoch=epoch))
    return log


def test_a_run_without_a_log_has_no_rows(tmp_path):
    log = EpochLog(tmp_path / "log.csv")
    assert log.rows() == []
    log.truncate_after(-1)
    assert not log.path.exists()


def test_rows_come_back_with_every_digit(log):
    assert log.rows() == [replace(ROW, epoch=epoch) for epoch in range(4)]
    assert log.path.read_text().splitlines()[:2] == [
        "epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds,images_per_second",
        "0,0.1,0.9,0.3333333333333333,0.8,0.0005,1.25,100000.0",
    ]


def test_a_validation_split_has_columns_of_its_own(tmp_path):
    log = EpochLog(tmp_path / "log.csv")
    rows = [replace(ROW, epoch=epoch, validation_loss=0.5, validation_accuracy=0.75) for epoch in range(2)]
    for row in rows:
        log.append(row)
    header = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,validation_loss,validation_accuracy"
    assert log.path.read_text().splitlines()[0] == f"{header},lr,seconds,images_per_second"
    assert log.rows() == rows


def test_of_equal_validation_accuracies_the_smaller_loss_is_better():
    one, other = (replace(ROW, validation_loss=loss, validation_accuracy=0.75) for loss in (0.5, 0.6))
    assert one.score() > other.score()
    assert one.score(by_loss=True) == (-0.5,)
    assert ROW.score() == ()


def test_nan_and_inf_are_spelled(tmp_path):
    log = EpochLog(tmp_path / "log.csv")
    log.append(replace(ROW, train_loss=nan, lr=inf))
    assert log.path.read_text().splitlines()[1].startswith("1,nan,")
    (row,) = log.rows()
    assert isnan(row.train_loss)
    assert row.lr == inf


def test_a_repeated_epoch_replaces_what_an_interrupted_run_left(log):
    log.append(replace(ROW, epoch=2, lr=7.0))
    assert [(row.epoch, row.lr) for row in log.rows()] == [(0, 5e-4), (1, 5e-4), (2, 7.0)]


def test_epochs_after_the_resume_point_are_forgotten(log):
    log.truncate_after(1)
    assert [row.epoch for row in log.rows()] == [0, 1]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "its first line is not epoch,train_loss"),
        (b"epoch,loss\n1,2\n", "its first line is not epoch,train_loss"),
        (b"\xff\xfe\x00", "it cannot be read"),
    ],
)
def test_a_garbled_log_is_named(log, content, reason):
    log.path.write_bytes(content)
    with pytest.raises(DamagedFile, match=f"log.csv: {reason}"):
        log.append(ROW)
    assert log.path.read_bytes() == content


@pytest.mark.parametrize("line", ["4,0.1", "4,a,0,0,0,0,0,0", "4.5,0,0,0,0,0,0,0", "", "4,0,0,0,0,0,0,0,0"])
def test_a_torn_line_is_named_with_its_number(log, line):
    with log.path.open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(DamagedFile, match=r"log\.csv: line 6 is not a row of the log\. Move it away"):
        log.rows()
