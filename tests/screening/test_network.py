"""Networks as they are published, and weights that cannot be had."""

from __future__ import annotations

import timm
import torch

from layerscope.screening.screen import screen
from layerscope.screening.table import ScreenTable

SMALL = {"sample": 20, "measures": ["DSE"]}


def rows_of(screening):
    (rows,) = ScreenTable(screening.folder).read().values()
    return rows


def test_published_weights_that_cannot_be_had_leave_a_row_that_says_what_to_do(screening_of, monkeypatch):
    def offline(name, *, pretrained, **_):
        raise OSError("no network here")

    monkeypatch.setattr(timm, "create_model", offline)
    screening = screening_of(Screen={"models": "timm/test_resnet_pretrained"}, Measurements=SMALL)
    (outcome,) = screen(screening, device="cpu")
    assert outcome.error is not None
    (row,) = rows_of(screening)
    assert row["status"] == "failed"
    assert "timm/test_resnet_pretrained cannot be had: no network here" in row["message"]


def test_a_file_of_published_weights_sees_images_as_it_was_made_for(screening_of, tmp_path):
    path = tmp_path / "published.pt"
    torch.save(timm.create_model("test_resnet", pretrained=False).state_dict(), path)
    entry = {"model": "timm/test_resnet", "files": str(path)}
    seen = {}
    for inputs in ("published", "data"):
        settings = {"checkpoints": [entry], "inputs": inputs}
        screening = screening_of(
            Screen=settings, Measurements=SMALL, Data={"dataset-id": "digits", "channels": 3}
        )
        (outcome,) = screen(screening, device="cpu")
        assert outcome.error is None
        rows = rows_of(screening)
        assert {row["inputs"] for row in rows} == {inputs}
        assert {row["accuracy_kind"] for row in rows} == {"centers"}  # its classifier knows 1,000 classes
        assert {row["weights"] for row in rows} == {"file"}
        seen[inputs] = [row["value"] for row in rows]
    assert seen["published"] != seen["data"]


def test_nothing_is_known_of_published_weights_of_our_own_families(screening_of):
    screening = screening_of(Screen={"models": "mlp_single", "inputs": "published"}, Measurements=SMALL)
    (outcome,) = screen(screening, device="cpu")
    assert "nothing is known of published weights of mlp_single" in str(outcome.error)
