"""The store of tables: same rows, same bytes; stale and damaged tables are not mistaken for good ones."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerscope.errors import DamagedFile
from layerscope.results import TableStore, tables


def row(layer: int = 0, value: float = 0.5, **more: Any) -> dict[str, Any]:
    return {
        "split": "train",
        "layer_name": f"block{layer}.fc",
        "layer_index": layer,
        "statistic": "mean",
        "value": value,
        "error": None,
        "ceiling": None,
        "status": "ok",
        "unit": "1",
        "weighting": "balanced",
        "where": "input",
        "reduce": "flatten",
        "samples": 100,
        "classes": 10,
        "dim": 64,
    } | more


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return TableStore(tmp_path / "measurements")


def content(store: TableStore) -> bytes:
    return store.path("CDNV").read_bytes()


def test_a_missing_table_is_none_and_has_no_epochs(store):
    assert store.read("CDNV") is None
    assert store.computed("CDNV") == {}
    assert store.measures() == []


def test_rows_come_back_bit_for_bit(store):
    values = [
        0.1,
        1 / 3,
        5e-324,
        1.7976931348623157e308,
        -0.0,
        math.inf,
        -math.inf,
        1e-17,
        123456789.123456789,
    ]
    store.replace("CDNV", 3, [row(i, value) for i, value in enumerate(values)], "key")
    read = store.read("CDNV")
    assert [value.hex() for value in read["value"]] == [value.hex() for value in values]
    assert list(read["epoch"]) == [3] * len(values)


def test_an_undefined_value_comes_back_undefined(store):
    store.replace("CDNV", 0, [row(value=math.nan, status="undefined")], "key")
    assert store.read("CDNV")["value"].isna().all()
    assert b",nan,,,undefined," in content(store)


def test_columns_are_place_qualifiers_result(store):
    store.replace("CDNV", 0, [row()], "key")
    assert content(store) == (
        b"epoch,split,layer_name,layer_index,statistic,"
        b"value,error,ceiling,status,unit,weighting,where,reduce,samples,classes,dim\n"
        b"0,train,block0.fc,0,mean,0.5,,,ok,1,balanced,input,flatten,100,10,64\n"
    )


def test_errors_and_ceilings_come_back_where_there_are_any(store):
    rows = [row(0), row(1, error=1 / 3, ceiling=math.inf), row(2, error=math.nan, ceiling=5e-324)]
    store.replace("CDNV", 0, rows, "key")
    table = store.read("CDNV")
    assert table["error"].isna().tolist() == [True, False, True]
    assert table["error"][1] == 1 / 3
    assert table["ceiling"].tolist()[1:] == [math.inf, 5e-324]


def test_numbers_of_numpy_are_written_like_those_of_python(store):
    plain = [row(1, 0.1)]
    foreign = [row(1, np.float64(0.1), layer_index=np.int64(1), samples=np.int32(100))]
    store.replace("CDNV", 0, plain, "key")
    expected = content(store)
    store.replace("CDNV", 0, foreign, "key")
    assert content(store) == expected


def test_names_that_look_like_missing_values_or_numbers_stay_text(store):
    names = ["0", "null", "nan", "NA", "True", 'odd,"name"']
    store.replace("CDNV", 0, [row(i, layer_name=name) for i, name in enumerate(names)], "key")
    assert list(store.read("CDNV")["layer_name"]) == names
    each_once = store.read("CDNV", categories=True)["layer_name"]
    assert list(each_once) == names
    assert each_once.dtype == "category"


def test_an_empty_cell_is_missing_and_sorts_first(store):
    rows = [row(value=1.0, rank=2), row(value=2.0, rank=None)]
    store.replace("CDNV", 0, rows, "key")
    read = store.read("CDNV")
    assert list(read["value"]) == [2.0, 1.0]
    assert read["rank"].isna().tolist() == [True, False]


def test_order_of_writing_does_not_matter(tmp_path):
    rows = [row(layer, layer / 7, split=split) for layer in range(12) for split in ("train", "test")]
    contents = set()
    for attempt in range(4):
        shuffle = random.Random(attempt)
        store = TableStore(tmp_path / str(attempt))
        epochs = [0, 10, 2, 100]
        shuffle.shuffle(epochs)
        for epoch in epochs:
            shuffle.shuffle(rows)
            store.replace("CDNV", epoch, rows, f"key {epoch}")
        contents.add((content(store), (store.folder / "manifest.json").read_bytes()))
    assert len(contents) == 1
    assert list(store.read("CDNV")["epoch"].unique()) == [0, 2, 10, 100]


def test_replacing_an_epoch_leaves_the_others(store):
    store.replace("CDNV", 0, [row(value=1.0)], "a")
    store.replace("CDNV", 1, [row(value=2.0)], "a")
    store.replace("CDNV", 0, [row(value=3.0), row(1, 4.0)], "b")
    assert list(store.read("CDNV")["value"]) == [3.0, 4.0, 2.0]
    assert store.computed("CDNV") == {0: "b", 1: "a"}


def test_several_measures_are_stored_at_once(store):
    store.replace_all(5, {"CDNV": [row()], "NC1": [row(statistic="pinv")]}, "k")
    assert store.measures() == ["CDNV", "NC1"]
    assert store.computed("NC1") == {5: "k"}


def test_stale_epochs_are_dropped_and_the_rest_kept(store):
    for epoch in range(4):
        store.replace("CDNV", epoch, [row(value=float(epoch))], f"key{epoch}")
    assert store.drop_stale("CDNV", {0: "key0", 1: "other", 3: "key3"}) == [1, 2]
    assert list(store.read("CDNV")["epoch"]) == [0, 3]
    assert store.drop_stale("CDNV", {0: "key0", 3: "key3"}) == []


def test_a_table_of_stale_epochs_only_is_removed(store):
    store.replace("CDNV", 0, [row()], "old")
    store.drop_stale("CDNV", {0: "new"})
    assert store.read("CDNV") is None
    assert store.computed("CDNV") == {}


def test_a_table_deleted_by_hand_counts_as_not_measured(store):
    store.replace("CDNV", 0, [row()], "key")
    store.path("CDNV").unlink()
    assert store.computed("CDNV") == {}


class Killed(BaseException):
    pass


@pytest.mark.parametrize("last_write", [0, 1, 2])
def test_a_kill_between_any_two_writes_loses_only_the_epoch_being_written(store, monkeypatch, last_write):
    store.replace("CDNV", 0, [row(value=1.0)], "a")
    store.replace("CDNV", 1, [row(value=2.0)], "a")
    writes = iter(range(10))

    def stop_after(write: Any) -> Any:
        def writing(*args: Any) -> None:
            if next(writes) == last_write:
                raise Killed
            write(*args)

        return writing

    with monkeypatch.context() as patch:
        patch.setattr(tables, "write_atomic", stop_after(tables.write_atomic))
        patch.setattr(tables, "save_manifest", stop_after(tables.save_manifest))
        with pytest.raises(Killed):
            store.replace("CDNV", 1, [row(value=3.0)], "b")
    computed = store.computed("CDNV")
    assert computed == ({0: "a", 1: "a"} if last_write == 0 else {0: "a"})
    assert list(store.read("CDNV")["value"]) == ([1.0, 2.0] if last_write == 0 else [1.0])
    store.replace("CDNV", 1, [row(value=3.0)], "b")
    assert list(store.read("CDNV")["value"]) == [1.0, 3.0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-7],
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"0.25", b"0.26"),
        lambda data: data.replace(b"epoch,", b"epoc,"),
        lambda data: b"\x00\xff" * 40,
        lambda data: b"",
    ],
    ids=["cut", "half", "edited", "header", "garbage", "empty"],
)
def test_a_damaged_table_is_named_and_measured_anew(store, caplog, spoil):
    store.replace("CDNV", 0, [row(value=0.25)], "key")
    store.replace("CDNV", 7, [row(value=0.25)], "key")
    store.path("CDNV").write_bytes(spoil(content(store)))
    with pytest.raises(DamagedFile, match=r"CDNV\.csv: the rows of epoch \d are not those .* Run the same"):
        store.read("CDNV")
    assert 7 not in store.computed("CDNV")
    assert "CDNV.csv: rows of epoch" in caplog.text
    for epoch in (0, 7):
        store.replace("CDNV", epoch, [row(value=0.5)], "key")
    assert list(store.read("CDNV")["value"]) == [0.5, 0.5]


def test_a_damaged_manifest_is_named(store):
    store.replace("CDNV", 0, [row()], "key")
    (store.folder / "manifest.json").write_text('{"CDNV": {"0": 3}}', encoding="utf-8")
    with pytest.raises(DamagedFile, match=r"manifest\.json: it is not a list of measured epochs\. Delete it"):
        store.computed("CDNV")


def test_a_table_without_manifest_is_read_if_it_is_a_table(store):
    store.replace("CDNV", 0, [row()], "key")
    (store.folder / "manifest.json").unlink()
    assert len(store.read("CDNV")) == 1
    assert store.splits("CDNV") == {"train"}
    store.path("CDNV").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DamagedFile, match=r"not a table of measurements \(columns epoch, split"):
        store.read("CDNV")


def test_a_cell_that_is_no_number_is_damage(store):
    store.replace("CDNV", 0, [row()], "key")
    (store.folder / "manifest.json").unlink()
    store.path("CDNV").write_bytes(content(store).replace(b",0.5,", b",half,"))
    with pytest.raises(DamagedFile, match="not a table of measurements"):
        store.read("CDNV")


def test_splits_are_known(store):
    rows = [row(split="train"), row(split="test"), row(split="weights")]
    store.replace("CDNV", 0, rows, "key")
    assert store.splits("CDNV") == {"train", "test", "weights"}
    assert store.splits("NC1") == frozenset()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "CDNV gave no rows"),
        ([row(), row()], "CDNV gave two rows for {'split': 'train', 'layer_index': 0"),
        ([{"value": 1.0}], "rows of CDNV lack the columns split, layer_name"),
        ([row(), row(1, extra=2)], r"differ in their columns: \['extra'\]"),
        ([row(value=[1.0])], r"column value of CDNV: \[1.0\] is a list"),
        ([row(layer_name="a\nb")], "cannot be printed"),
        ([row(epoch=4)], "a row of epoch 4 among those of epoch 0"),
    ],
)
def test_rows_that_are_no_table_are_refused(store, rows, message):
    with pytest.raises(ValueError, match=message):
        store.replace("CDNV", 0, rows, "key")
    assert not store.path("CDNV").exists()


def test_rows_of_other_columns_do_not_join_a_table(store):
    store.replace("CDNV", 0, [row()], "key")
    with pytest.raises(DamagedFile, match=r"its columns are .* but this version writes .*rank.* Delete it"):
        store.replace("CDNV", 1, [row(rank=1)], "key")
    store.replace("CDNV", 0, [row(rank=1)], "key")  # nothing is left of the old columns
    assert "rank" in store.read("CDNV")


def test_a_table_that_was_begun_without_later_columns_goes_on_without_them(store):
    store.replace("CDNV", 0, [row()], "key")
    store.replace("CDNV", 1, [row(reason="rank", singletons=2)], "key")
    frame = store.read("CDNV")
    assert frame["epoch"].tolist() == [0, 1]
    assert not {"reason", "singletons"} & {*frame}


def test_the_manifest_is_readable(store):
    store.replace("CDNV", 0, [row()], "digest+settings")
    manifest = json.loads((store.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["CDNV"]["0"]["key"] == "digest+settings"
    assert manifest["CDNV"]["0"]["splits"] == ["train"]


def test_a_large_table_comes_back_whole(store):
    rows = [
        row(layer, layer / 7 + sigma, sigma_index=sigma) for layer in range(15) for sigma in range(10_000)
    ]
    store.replace("WeightSVs", 0, rows, "key")
    assert len(store.read("WeightSVs")) == 150_000


@pytest.mark.parametrize("sizes", [(9, 1, 1), (1, 9, 2), (3, 3, 3)])
def test_epochs_of_any_length_are_found_again(store, sizes):
    for epoch, layers in enumerate(sizes):
        store.replace("CDNV", epoch, [row(layer, layer + epoch / 7) for layer in range(layers)], "key")
    frame = store.read("CDNV")
    assert frame.groupby("epoch").size().tolist() == list(sizes)
    assert store.text("CDNV", [1]).count(b"\n") == 1 + sizes[1]


def test_importing_the_store_loads_neither_pandas_nor_torch():
    names = "('pandas', 'numpy', 'torch')"
    code = f"import sys, layerscope.results; print([name for name in {names} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
