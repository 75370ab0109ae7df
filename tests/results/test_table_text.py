"""The stored text of a table: what the manifest vouches for, without a look at every line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from layerscope.errors import DamagedFile
from layerscope.results import TableStore
from layerscope.results.manifest import load_digests, load_manifest

EPOCHS = (0, 2, 10, 100)


def rows(value: float) -> list[dict[str, Any]]:
    place = {"split": "train", "layer_name": "fc", "statistic": "mean"}
    result = {
        **{"value": value, "error": None, "ceiling": None, "status": "ok", "unit": "1"},
        **{"weighting": "balanced", "where": "input", "reduce": "flatten"},
        **{"samples": 1, "classes": 1, "dim": 1},
    }
    return [{**place, "layer_index": layer, **result} for layer in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    made = TableStore(tmp_path)
    for epoch in EPOCHS:
        made.replace_all(epoch, {name: rows(epoch / 7) for name in ("CDNV", "NCC", "Traces")}, "key")
    return made


def lines(text: bytes | None) -> list[str]:
    assert text is not None
    return [line.partition(",")[0] for line in text.decode().splitlines()[1:]]


def test_an_undamaged_table_is_its_file(store):
    assert store.text("CDNV") == store.path("CDNV").read_bytes()
    assert store.text("ETF") is None


@pytest.mark.parametrize("epochs", [(2,), (0, 100), (100, 0), (5,), ()])
def test_epochs_are_cut_out_in_the_order_of_the_table(store, epochs):
    header = store.path("CDNV").read_bytes().splitlines(keepends=True)[0]
    text = store.text("CDNV", epochs)
    assert text.startswith(header)
    assert lines(text) == [str(epoch) for epoch in EPOCHS if epoch in epochs for _ in range(3)]
    (store.folder / "manifest.json").unlink()  # a table from elsewhere
    assert store.text("CDNV", epochs) == text


def test_lines_that_nobody_vouches_for_are_left_out(store):
    path = store.path("CDNV")
    before = path.read_bytes()
    path.write_bytes(before + b"200,train,fc,0,mean,1.0,ok,balanced,1,1,1\n")
    assert store.text("CDNV") == before
    content = before.splitlines(keepends=True)
    path.write_bytes(b"".join([content[0], *content[4:7], *content[1:4], *content[7:]]))  # in another order
    assert store.text("CDNV") == before


@pytest.mark.parametrize("epoch", EPOCHS)
@pytest.mark.parametrize("change", ["lost", "edited", "torn"])
def test_whatever_is_wrong_with_an_epoch_is_named(store, epoch, change):
    content = store.path("CDNV").read_bytes().splitlines(keepends=True)
    first = next(number for number, line in enumerate(content) if line.startswith(b"%d," % epoch))
    content[first] = {
        "lost": b"",
        "edited": content[first].replace(b"ok", b"no"),
        "torn": content[first][:9],
    }[change]
    store.path("CDNV").write_bytes(b"".join(content))
    with pytest.raises(DamagedFile, match=f"the rows of epoch {epoch} are not those"):
        store.text("CDNV")
    with pytest.raises(DamagedFile):
        store.read("CDNV")


def test_another_header_makes_every_row_another(store):
    path = store.path("CDNV")
    path.write_bytes(path.read_bytes().replace(b"samples,classes", b"classes,samples", 1))
    with pytest.raises(DamagedFile):
        store.text("CDNV")


@pytest.mark.parametrize("name", ["CDNV", "NCC", "Traces", "ETF", "NC1", "Accuracy", "A", "CDNVs", "T" * 30])
def test_the_quick_look_at_a_manifest_finds_what_the_whole_one_says(store, name):
    path = store.folder / "manifest.json"
    entries = load_manifest(path).get(name)
    digests = None if entries is None else {epoch: entry["digest"] for epoch, entry in entries.items()}
    assert load_digests(path, name) == digests
    path.write_text(json.dumps(json.loads(path.read_text())), encoding="utf-8")  # in another spelling
    assert load_digests(path, name) == digests


def test_a_measure_without_epochs_has_no_rows(store):
    path = store.folder / "manifest.json"
    path.write_text('{\n  "CDNV": {}\n}\n', encoding="utf-8")
    assert load_digests(path, "CDNV") == {}
    assert lines(store.text("CDNV")) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"CDNV": 3}', '{\n  "CDNV": {\n    "x": {}\n  }\n}'])
def test_a_damaged_manifest_is_named(store, content):
    (store.folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(DamagedFile, match=r"manifest\.json"):
        store.text("CDNV")
