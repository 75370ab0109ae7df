"""Figures of pairs of images, from tables and from the file of pairs."""

import numpy as np
import pytest

from layerscope.errors import DamagedFile, UsageError
from layerscope.plotting.plotter import NCPlotter
from layerscope.plotting.run.pairs import image_pairs, joint_pmf
from layerscope.plotting.run_tables import RunTables
from layerscope.results.stored_pairs import StoredPairs


def place(epoch, value, unit="1", **qualifiers):
    result = {"value": value, "error": None, "ceiling": None, "status": "ok", "unit": unit, "dim": 3}
    common = {"weighting": "balanced", "where": "", "reduce": "", "samples": 100, "classes": 3}
    return {
        **{"epoch": epoch, "split": "test", "layer_name": "logits", "layer_index": 4},
        **qualifiers, **result, **common,
    }  # fmt: skip


@pytest.fixture
def paired_run(small_run, synthetic):
    """A run with decisions on pairs, and five pairs to look at."""
    shares = {(0, 0): 0.25, (1, 1): 0.35, (2, 1): 0.4}
    for epoch in (0, 5, 10):
        cells = [
            place(epoch, share, test_class=test, train_class=train) for (test, train), share in shares.items()
        ]
        whole = {"statistic": "information", "class": -1}
        tables = {"JointPMF": cells, "DiscreteMI": [place(epoch, 0.6, "nat", **whole)]}
        synthetic.store.replace_all(epoch, tables, key="a")
    five, images = np.arange(5), np.full((5, 4, 4, 1), 128, dtype=np.uint8)
    identity = {"encoder": "pixels", "method": "nn"}
    StoredPairs(five, five[::-1], five / 5, five % 3, five % 2, images, images, identity).save(
        small_run / "pairs.npz"
    )
    return small_run


def test_the_heat_map_holds_the_shares_with_the_test_decision_along_x(paired_run):
    figure = joint_pmf(RunTables.load(paired_run, ["JointPMF", "DiscreteMI"]))
    assert [axes.get_title() for axes in figure.axes] == [f"epoch {e}: 0.60 nats" for e in (0, 5, 10)]
    shown = figure.axes[0].get_images()[0].get_array()
    assert shown[1, 2] == 0.4  # train decision 1, test decision 2
    assert shown.sum() == pytest.approx(1.0)
    assert {text.get_text() for text in figure.axes[0].texts} == {".25", ".35", ".40"}


def test_three_checkpoints_stand_in_one_row_and_small_shares_are_not_white(paired_run):
    figure = joint_pmf(RunTables.load(paired_run, ["JointPMF", "DiscreteMI"]))
    assert len({round(axes.get_position().y0, 3) for axes in figure.axes}) == 1
    image = figure.axes[0].get_images()[0]
    assert float(image.norm(0.4 / 100)) == pytest.approx(0.1)


def test_the_heading_is_of_all_pairs_where_there_are_smaller_parts(paired_run, synthetic):
    whole = {"statistic": "information", "class": -1}
    rows = [place(0, value, "nat", **whole, n=n) for n, value in ((50, 0.7), (100, 0.6))]
    synthetic.store.drop_stale("DiscreteMI", {})
    synthetic.store.replace_all(0, {"DiscreteMI": rows}, key="b")
    figure = joint_pmf(RunTables.load(paired_run, ["JointPMF", "DiscreteMI"]))
    assert figure.axes[0].get_title() == "epoch 0: 0.60 nats"


def test_every_pair_is_a_test_image_over_its_train_image(paired_run):
    figure = image_pairs(RunTables.load(paired_run, ["pairs"]))
    assert [axes.get_title() for axes in figure.axes[:5]] == ["0", "1", "2", "0", "1"]
    assert [axes.get_title() for axes in figure.axes[5:7]] == ["0 (0.00)", "1 (0.20)"]
    assert any("5 pairs, 40% of one label" in text.get_text() for text in figure.texts)


def test_pairs_that_are_not_there_are_named(small_run):
    with pytest.raises(UsageError, match="measure Pairs first"):
        image_pairs(RunTables.load(small_run, ["pairs"]))


def test_the_plotter_draws_both_and_draws_them_again_with_other_pairs(paired_run):
    plotter = NCPlotter(paired_run)
    names = ["JointPMF", "ImagePairs"]
    assert len(plotter.plot(names)) == 4
    assert plotter.plot(names) == []
    stored = StoredPairs.load(paired_run / "pairs.npz")
    stored.save(paired_run / "pairs.npz")
    assert {path.stem for path in plotter.plot(names)} == {"ImagePairs"}


@pytest.mark.parametrize("content", [b"", b"torn", b"\x00\xff" * 100])
def test_a_damaged_file_of_pairs_is_named_in_plain_words(tmp_path, content):
    (tmp_path / "pairs.npz").write_bytes(content)
    with pytest.raises(DamagedFile, match=r"pairs\.npz: it does not hold pairs of images"):
        StoredPairs.load(tmp_path / "pairs.npz")
