"""How many values are degenerate, and why."""

from __future__ import annotations

import pandas as pd
import pytest

from layerscope.plotting.drawing.degenerate import count_reasons, degenerate_note, reasons_of


def rows(*reasons: str | None, status: str = "degenerate") -> pd.DataFrame:
    return pd.DataFrame({"status": status, "reason": reasons})


@pytest.mark.parametrize("dtype", ["object", "category"])
def test_a_value_of_several_reasons_counts_for_each(dtype):
    frame = rows("two_classes", "rounding+two_classes", "rank").astype({"reason": dtype})
    counts = count_reasons(reasons_of(frame))
    assert counts == {"two_classes": 2, "rounding": 1, "rank": 1}
    assert degenerate_note(counts) == "○ degenerate: rank (1), rounding (1), two classes (2)"


def test_values_that_are_not_degenerate_have_no_reason():
    assert not count_reasons(reasons_of(rows("two_classes", None, status="ok")))
    assert not count_reasons(reasons_of(pd.DataFrame({"value": [1.0]})))


@pytest.mark.parametrize("older", [rows(None, ""), rows(None, "").drop(columns="reason")])
def test_where_no_reason_is_recorded_values_are_only_counted(older):
    assert degenerate_note(count_reasons(reasons_of(older))) == "○ degenerate (2)"


def test_runs_of_earlier_versions_among_others_are_told_apart():
    frame = rows("two_classes", None).astype({"reason": "category"})
    note = degenerate_note(count_reasons(reasons_of(frame)))
    assert note == "○ degenerate: not recorded (1), two classes (1)"
