from __future__ import annotations

import io
from dataclasses import replace
from math import nan

from layerscope.training.log import EpochRow
from layerscope.training.progress import ConsoleReporter, QuietReporter, describe

ROW = EpochRow(3, 0.01234, 0.991, 0.0567, 0.954, 0.05, 1.23, 12345.6)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_line_says_everything_about_an_epoch():
    assert describe(ROW, 30) == (
        "epoch  3/30  train loss 0.01234, accuracy 99.10%; test loss 0.0567, accuracy 95.40%, "
        "lr 0.05, 1.2 s (12,346 images/s)"
    )


def test_a_validation_split_stands_between_the_other_two():
    row = replace(ROW, validation_loss=0.0432, validation_accuracy=0.96)
    assert "9.10%; validation loss 0.0432, accuracy 96.00%; test loss" in describe(row, 30)


def test_the_initialisation_has_no_training_to_report():
    row = replace(ROW, epoch=0, train_loss=nan, train_accuracy=nan, lr=nan, seconds=0.0)
    assert describe(row, 3) == "epoch 0/3  test loss 0.0567, accuracy 95.40%"


def test_without_a_terminal_there_is_one_line_per_epoch():
    stream = io.StringIO()
    reporter = ConsoleReporter(3, "mlp", stream)
    reporter.message("resuming after epoch 1")
    reporter.epoch(replace(ROW, epoch=2))
    reporter.epoch(ROW)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "mlp: resuming after epoch 1"
    assert [line.split("  ")[0] for line in lines[1:]] == ["mlp: epoch 2/3", "mlp: epoch 3/3"]


def test_on_a_terminal_there_is_a_bar_that_starts_at_the_resume_point():
    stream = Terminal()
    reporter = ConsoleReporter(3, "mlp", stream)
    reporter.epoch(replace(ROW, epoch=2))
    assert "2/3" in stream.getvalue()
    reporter.epoch(ROW)
    assert "3/3" in stream.getvalue()
    assert stream.getvalue().endswith("\n")


def test_a_message_does_not_break_the_bar():
    stream = Terminal()
    reporter = ConsoleReporter(3, "mlp", stream)
    reporter.epoch(replace(ROW, epoch=1))
    reporter.message("hello")
    reporter.close()
    assert "mlp: hello\n" in stream.getvalue()


def test_quiet_is_quiet(capsys):
    QuietReporter().epoch(ROW)
    QuietReporter().message("hello")
    assert capsys.readouterr() == ("", "")
