"""Models are traced in this process or in one of its own, with or without torch."""

from __future__ import annotations

import pytest

from layerscope.preview.question import Answer, MeasuringQuestion, Question
from layerscope.preview.tracer import BackgroundTracer, NoAnswer, ask_here

pytestmark = pytest.mark.slow

MEASURING = MeasuringQuestion(("CDNV", "NC1"), (("train", 100), ("test", 10)), 10**9, "float32")
QUESTIONS = [
    Question({"model-name": "mlp_single", "embedding-layers": ["fc"]}, (1, 8, 8), 10, (MEASURING,)),
    Question({"model-name": "mlp_single", "embedding-layers": ["nothing"]}, (1, 8, 8), 10, ()),
]


@pytest.fixture
def without_torch(tmp_path, monkeypatch):
    """Processes that are started find a torch that cannot be imported."""
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def test_another_process_gives_the_same_answers():
    with BackgroundTracer() as ask:
        answers = ask(QUESTIONS)()
    assert answers == ask_here(QUESTIONS)()
    assert [layer.name for layer in answers[0].layers] == ["block0.fc", "fc"]
    assert "matches no module" in answers[1].problem


def test_what_a_model_prints_does_not_garble_the_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talkative.py").write_text(
        "from torch import nn\n"
        "def build(shape, num_classes):\n"
        "    print('hello' * 10_000)\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, num_classes))\n"
    )
    section = {"model-name": "talkative:build", "embedding-layers": ["1"]}
    with BackgroundTracer() as ask:
        (found,) = ask([Question(section, (1, 8, 8), 10, ())])()
    assert (found.problem, found.parameters) == ("", 650)


def test_a_file_of_the_working_folder_does_not_hide_a_library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json.py").write_text("raise SystemExit('this is not the library')")
    with BackgroundTracer() as ask:
        assert ask(QUESTIONS[:1])()[0].layers


def test_a_model_that_ends_its_process_is_survived(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deadly.py").write_text("import os\ndef build(shape, num_classes):\n    os._exit(3)\n")
    with BackgroundTracer() as ask, pytest.raises(NoAnswer, match="ended with code 3"):
        ask([Question({"model-name": "deadly:build"}, (1, 8, 8), 10, ())])()


def test_an_error_in_one_model_does_not_hide_the_others(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.py").write_text(
        "from torch import nn\n"
        "class Odd(nn.Module):\n"
        "    def forward(self, images):\n"
        "        return {}[0]\n"
        "def build(shape, num_classes):\n"
        "    return Odd()\n"
    )
    odd = Question({"model-name": "odd:build"}, (1, 8, 8), 10, ())
    first, second = ask_here([odd, QUESTIONS[0]])()
    assert "odd:build" in first.problem
    assert second.layers


def test_without_torch_there_is_no_answer_but_a_reason(without_torch):
    with BackgroundTracer() as ask, pytest.raises(NoAnswer, match="No module named 'torch'"):
        ask(QUESTIONS)()


def test_a_tracer_that_is_never_asked_is_stopped():
    with BackgroundTracer() as ask:
        pass
    assert ask._process.poll() is not None


def test_an_empty_answer_is_one_that_knows_nothing():
    assert Answer().layers == ()
