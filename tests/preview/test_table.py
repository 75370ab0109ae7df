"""Text in columns, lists that fit a line, paragraphs that are broken where they may be."""

from __future__ import annotations

from layerscope.preview.table import columns, ends_of, listed, without_empty, wrapped


def test_columns_stand_under_each_other():
    assert columns([["a", "1", "x"], ["bbb", "22", ""]], right=[1]) == ["a     1  x", "bbb  22"]


def test_columns_that_say_nothing_are_left_out():
    assert without_empty([["", "title", "n"], ["a", "", "1"]], titles=True) == [["", "n"], ["a", "1"]]
    assert without_empty([["", "b"], ["", ""]]) == [["b"], [""]]


def test_of_many_items_the_first_and_last_are_shown():
    items = [str(number) for number in range(10)]
    assert ends_of(items, 10, "runs") == items
    assert ends_of(items, 5, "runs") == ["0", "1", "2", "… 5 more runs …", "8", "9"]


def test_a_list_loses_its_middle_before_its_ends():
    values = [0.1, 0.2, 0.3, 0.4]
    assert listed(values, 80) == "0.1, 0.2, 0.3, 0.4"
    assert listed(range(30), 26) == "0, 1, 2, … 29 (30 values)"
    assert listed(range(100), 20, count=False) == "0, 1, 2, 3, 4, … 99"


def test_a_list_of_lists_is_written_as_one_writes_it():
    assert listed([["fc"], [".conv1", "^fc"]], 80) == "[fc], [.conv1, ^fc]"


def test_a_list_of_long_values_is_cut():
    assert listed(["a" * 50, "b" * 50], 30) == f"{'a' * 17} … and 1 more"
    assert listed(["a" * 50], 30) == f"{'a' * 28} …"


def test_no_line_ends_between_a_number_and_its_unit():
    assert wrapped("it needs 7.82 MB of it", 14) == ["it needs", "7.82 MB of it"]


def test_long_names_stay_whole():
    name = "/a/very/long-path/with-many-parts"
    assert wrapped(f"there is no {name} here", 20, "  - ", "    ") == [
        "  - there is no",
        f"    {name}",
        "    here",
    ]
