"""What is written is read back as it was."""

from __future__ import annotations

import pytest
import yaml

from layerscope.config import dump_yaml
from layerscope.config.yaml_reader import document_from_text


@pytest.mark.parametrize(
    "value",
    [
        *[
            "1e5",
            "5.e-4",
            "None",
            "null",
            "~",
            "",
            "yes",
            "True",
            "010",
            "12:30",
            "<<",
            "2024-01-01",
            "a: b",
            "#x",
        ],
        *["M\u00fcnchen", "two\nlines", " space ", "*a", "&a", "project:16", "^fc", "- x", "0x10", "1_000"],
        *[1, 1.0, 1e-5, 5e-4, 1e22, float("inf"), None, True, False, [], [1, 2], ["fc", "1"], [[1], [2]]],
    ],
)
def test_every_value_survives_writing_and_reading(value):
    text = dump_yaml({"Section": {"key": value}})
    read = document_from_text(text, "f")
    assert read.problems == ()
    assert read.data == {"Section": {"key": value}}
    assert type(read.data["Section"]["key"]) is type(value)


def test_sections_are_blocks_in_the_order_given_and_lists_are_short():
    tree = {"Model": {"tap": "input", "embedding-layers": ["conv", "fc"]}, "Data": {"pad": None}}
    assert dump_yaml(tree) == "Model:\n  tap: input\n  embedding-layers: [conv, fc]\nData:\n  pad: null\n"


def test_equal_lists_are_repeated_rather_than_aliased():
    shared = [1, 2]
    assert "*" not in dump_yaml({"a": shared, "b": shared})


def test_other_yaml_readers_see_the_same_values():
    tree = {"a": None, "b": True, "c": 5e-4, "d": "yes", "e": "None", "f": [1, 2.5]}
    assert yaml.safe_load(dump_yaml(tree)) == tree
