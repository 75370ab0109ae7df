"""What is known of a network need not be asked again, unless something may have changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from layerscope.preview import remembered
from layerscope.preview.question import Answer, MeasuringAnswer, MeasuringQuestion, Question, TappedLayer
from layerscope.preview.remembered import Remembering, cache_folder, knows_something

WAY = MeasuringQuestion(("CDNV",), (("train", 100),), 10**9, "float32")
QUESTION = Question({"model-name": "mlp_single"}, (1, 8, 8), 10, (WAY,), ((("^fc", 0.1),),))
ANSWER = Answer(
    layers=(TappedLayer("fc", (64,), 64),),
    parameters=650,
    warnings=("mind this",),
    measuring=(MeasuringAnswer(5, 6, ("train",)),),
    lr_problems=("",),
)


class Knowing:
    """Answers every question alike, and counts how often it is asked."""

    def __init__(self, answer: Answer = ANSWER) -> None:
        self.answer, self.asked = answer, 0

    def __call__(self, questions):
        self.asked += 1
        return lambda: [self.answer for _ in questions]


def asked_twice(folder: Path, first: Question, second: Question, answer: Answer = ANSWER) -> bool:
    """Whether the second question was asked too."""
    knowing = Knowing(answer)
    for question in (first, second):
        assert Remembering(knowing, folder)([question])() == [answer]
    return knowing.asked == 2


def test_a_question_is_asked_once(tmp_path):
    assert not asked_twice(tmp_path, QUESTION, replace(QUESTION))


@pytest.mark.parametrize(
    "other",
    [
        replace(QUESTION, model={"model-name": "mlp_small"}),
        replace(QUESTION, shape=(1, 16, 16)),
        replace(QUESTION, classes=11),
        replace(QUESTION, measuring=(replace(WAY, memory_bytes=1),)),
        replace(QUESTION, lr_groups=()),
    ],
)
def test_another_question_is_asked(tmp_path, other):
    assert asked_twice(tmp_path, QUESTION, other)


@pytest.mark.parametrize(
    "question",
    [
        replace(QUESTION, model={"model-name": "mine:build"}),
        replace(QUESTION, model={"model-name": "resnet18", "weights": "w.safetensors"}),
        replace(QUESTION, measuring=(replace(WAY, pairs={"encoder": "timm/x", "weights": "w"}),)),
    ],
)
def test_what_depends_on_the_users_own_files_is_asked_every_time(tmp_path, question):
    assert asked_twice(tmp_path, question, question)
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(problem="no such model"),
        replace(ANSWER, measuring=(MeasuringAnswer(problem="too large"),)),
        replace(ANSWER, lr_problems=("no such module",)),
    ],
)
def test_what_was_wrong_is_asked_again(tmp_path, answer):
    assert asked_twice(tmp_path, QUESTION, QUESTION, answer)


def test_other_versions_of_the_libraries_are_asked(tmp_path, monkeypatch):
    Remembering(Knowing(), tmp_path)([QUESTION])()
    monkeypatch.setattr(remembered.metadata, "version", lambda library: "0.1")
    knowing = Knowing()
    Remembering(knowing, tmp_path)([QUESTION])()
    assert knowing.asked == 1


def test_one_unknown_question_asks_all(tmp_path):
    other = replace(QUESTION, classes=3)
    Remembering(Knowing(), tmp_path)([QUESTION])()
    knowing = Knowing()
    assert Remembering(knowing, tmp_path)([QUESTION, other])() == [ANSWER, ANSWER]
    assert knowing.asked == 1


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", json.dumps({"problem": ""}).encode()])
def test_damaged_answers_are_asked_again(tmp_path, garbage):
    Remembering(Knowing(), tmp_path)([QUESTION])()
    (kept,) = tmp_path.rglob("*.json")
    kept.write_bytes(garbage)
    assert asked_twice(tmp_path, QUESTION, replace(QUESTION, classes=2))


def test_a_folder_that_cannot_be_written_to_is_no_problem(tmp_path):
    (tmp_path / "models").write_text("a file in the way")
    assert asked_twice(tmp_path, QUESTION, QUESTION)


def test_only_the_newest_answers_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(remembered, "_MOST", 3)
    for classes in range(2, 9):
        Remembering(Knowing(), tmp_path)([replace(QUESTION, classes=classes)])()
    assert len(list(tmp_path.rglob("*.json"))) == 3


def test_it_is_told_whether_anything_is_known_in_these_versions(tmp_path, monkeypatch):
    assert not knows_something(None)
    assert not knows_something(tmp_path)
    Remembering(Knowing(), tmp_path)([QUESTION])()
    assert knows_something(tmp_path)
    monkeypatch.setattr(remembered.metadata, "version", lambda library: "0.1")
    assert not knows_something(tmp_path)


def test_the_folder_is_that_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("LAYERSCOPE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "layerscope"
    monkeypatch.setenv("LAYERSCOPE_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.setenv("LAYERSCOPE_CACHE", "")
    assert cache_folder() is None
