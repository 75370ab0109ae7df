"""The grammar of config files: what is a number, what is not set, and where each mistake stands."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.config.document import Mark
from layerscope.config.yaml_reader import document_from_text, read_document, value_from_text
from layerscope.errors import ConfigError


def data_of(text):
    return document_from_text(text, "f.yaml").data


def messages_of(text):
    with pytest.raises(ConfigError) as caught:
        document_from_text(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("5.e-4", 5e-4),
        ("1e-3", 1e-3),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-1.5e+2", -150.0),
        ("1", 1),
        ("010", 10),
        ("+3", 3),
        (".inf", float("inf")),
        ("None", None),
        ("null", None),
        ("~", None),
        ("", None),
        ("True", True),
        ("false", False),
        ("yes", "yes"),
        ("no", "no"),
        ("TRUE", "TRUE"),
        ("none", "none"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("features.0", "features.0"),
        (".conv1", ".conv1"),
        ("^fc", "^fc"),
        ("'1e-3'", "1e-3"),
        ('"None"', "None"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
    ],
)
def test_a_plain_word_means_what_a_researcher_expects(word, value):
    read = value_from_text(word, "here")
    assert read == value
    assert type(read) is type(value)


def test_underscores_and_dashes_are_the_same_in_keys_but_not_in_names_of_submatrices():
    text = """
Model: {embedding_layers: [my_fc]}
Matrix:
  _Exclusive:
    mlp_large: {Model: {embedding_layers: [[fc]]}}
    Data: {Data: {dataset_id: [mnist_debug]}}
"""
    data = data_of(text)
    assert data["Model"] == {"embedding-layers": ["my_fc"]}
    exclusive = data["Matrix"]["_Exclusive"]
    assert exclusive["mlp_large"] == {"Model": {"embedding-layers": [["fc"]]}}
    assert exclusive["Data"] == {"Data": {"dataset-id": ["mnist_debug"]}}


def test_every_value_knows_its_line():
    document = document_from_text(
        "---\n# comment\nModel:\n  embedding_layers: [\n    conv,\n    fc\n  ]\n...\n", "f"
    )
    assert document.mark(("Model",)) == Mark("f", 3)
    assert document.mark(("Model", "embedding-layers")) == Mark("f", 4)
    assert document.mark(("Model", "embedding-layers", 1)) == Mark("f", 6)
    assert document.mark(("Model", "absent")) == Mark("f", 3)
    assert document.mark(("Absent",)) == Mark("f", 0)


def test_the_marks_of_a_matrix_lead_into_its_cells():
    document = document_from_text("Matrix:\n  Optimizer:\n    lr:\n      - 0.1\n      - 0.2\n", "f")
    assert document.has_matrix
    assert document.mark(("Matrix", "Optimizer", "lr", 1)) == Mark("f", 5)


@pytest.mark.parametrize("second", ["lr-decay", "lr_decay"])
def test_a_key_given_twice_is_kept_as_a_problem_with_both_lines(second):
    document = document_from_text(f"Optimizer:\n  lr_decay: 1\n  {second}: 2\n", "f.yaml")
    assert document.data == {"Optimizer": {"lr-decay": 1}}
    assert [str(problem) for problem in document.problems] == [
        f"f.yaml:3: '{second}' is given twice; the first is in line 2"
    ]


def test_anchors_and_merge_keys_work_and_own_keys_win():
    text = """
Optimizer: &base {lr: 0.1, epochs: 3}
Data: &more {lr: 7, batch-size: 8}
Model:
  <<: [*base, *more]
  epochs: 5
"""
    assert data_of(text)["Model"] == {"lr": 0.1, "epochs": 5, "batch-size": 8}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml: the file is empty; a config has the sections Model, Data, …"),
        ("# nothing\n---\n...\n", "f.yaml: the file is empty; a config has the sections Model, Data, …"),
        ("- Model\n", "f.yaml:1: the file holds a list, not sections like 'Model:'"),
        ("Model\n", "f.yaml:1: the file holds a single value, not sections like 'Model:'"),
        ("Model:\n\tx: 1\n", "f.yaml:2: not valid YAML: a tab; YAML indents with spaces"),
        (
            "Model:\n  a: b: c\n",
            "f.yaml:2: not valid YAML: a ':' that cannot stand here; look at the indentation and quotes",
        ),
        (
            "Model: {}\n---\nData: {}\n",
            "f.yaml:2: not valid YAML: a second document begins here ('---'); a config is one document",
        ),
        ("Model: {}\nData: \x07\n", "f.yaml:2: the control character '\\x07'"),
        ("[" * 700, "f.yaml: not readable as YAML (RecursionError)"),
    ],
)
def test_text_that_is_no_config_says_why_and_where(text, message):
    assert messages_of(text) == [message]


def test_an_unclosed_bracket_names_a_line():
    assert messages_of("Model:\n  embedding-layers: [fc\nData: {}\n")[0].startswith(
        "f.yaml:3: not valid YAML: "
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Model: !own 3\n", "f:1: the tag '!own' has no meaning here; write a plain value"),
        ("Model: !!int abc\n", "f:1: 'abc' cannot be read as int"),
        ("Model: &a\n  x: *a\n", "f:1: an alias inside of what it stands for"),
        ("Model:\n  <<: 3\n", "f:2: '<<' needs a mapping, as in '<<: *name'"),
        ("Model:\n  ? [a, b]\n  : 3\n", "f:2: a key that is itself a list or a mapping; keys are words"),
    ],
)
def test_values_that_cannot_be_built_are_problems_of_the_document(text, message):
    assert [str(problem) for problem in document_from_text(text, "f").problems] == [message]


def test_aliases_that_multiply_are_stopped():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "more than 100000 values" in messages_of("\n".join(lines))[0]


def test_a_file_that_is_not_utf8_names_the_line(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("Model: {}\nData: {root: M\u00fcnchen}\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"latin\.yaml:2: byte 0xfc is not UTF-8; save the file as UTF-8"):
        read_document(path)


def test_a_byte_order_mark_and_windows_line_ends_are_harmless(tmp_path):
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbfModel:\r\n  tap: input\r\n")
    assert read_document(path).data == {"Model": {"tap": "input"}}


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml: no such file"):
        read_document(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="cannot read it: Is a directory"):
        read_document(tmp_path)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="Ma:_-{}[]&*<>!?'\"#|%@`,. \n\t019eN~\x00\u00e9", max_size=60))
def test_any_text_is_a_document_or_one_clear_error(text):
    try:
        document = document_from_text(text, "f")
    except ConfigError as error:
        assert error.problems
    else:
        assert isinstance(document.data, dict)
