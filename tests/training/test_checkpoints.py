from __future__ import annotations

import logging
import os
import pickle
import re
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from torch import nn

from layerscope.errors import DamagedFile, MeasurementError, ModelError, RunFolderError, StorageError
from layerscope.training import resume as resume_module
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.course import EpochPart
from layerscope.training.position import Position, read_position
from layerscope.training.resume import ResumePoint
from layerscope.training.tally import Counts


def network(width=6):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, width))
        model(torch.rand(3, 1, 4, 4))
        return model


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def damage(path, at):
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_weights_and_buffers_come_back_bit_for_bit(store):
    model = network()
    path = store.save(10, model)
    assert path.name == "epoch_0010.safetensors"
    assert same(store.load(10), model.state_dict())
    assert store.load(10)["1.num_batches_tracked"].dtype == torch.int64


def test_the_same_weights_give_the_same_file(store):
    first = store.save(1, network()).read_bytes()
    assert store.save(2, network().to(memory_format=torch.channels_last)).read_bytes() == first


def test_shared_weights_are_saved_under_both_names(store):
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    store.save(0, model)
    loaded = store.load(0)
    assert torch.equal(loaded["0.weight"], loaded["1.weight"])
    assert torch.equal(loaded["0.weight"], model[0].weight)


def test_a_truncated_checkpoint_is_named(store):
    path = store.save(3, network())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DamagedFile, match=f"{path}: it has .* bytes, but .* were written"):
        store.load(3)


@pytest.mark.parametrize("at", [0, 100, -1])
def test_a_checkpoint_with_one_flipped_bit_is_named(store, at):
    path = store.save(3, network())
    damage(path, at)
    with pytest.raises(DamagedFile, match=f"{path}: its SHA-256"):
        store.load_into(network(), 3)


def test_the_last_good_checkpoint_is_the_newest_intact_one(store):
    assert store.last_good() is None
    good, bad = store.save(2, network()), store.save(10, network())
    assert store.last_good() == bad
    bad.write_bytes(b"")
    assert store.last_good() == good


def test_a_checkpoint_of_another_run_is_refused(store, tmp_path):
    path = store.save(3, network())
    trained = network()
    nn.init.zeros_(trained[3].weight)
    path.write_bytes(CheckpointStore(tmp_path / "other").save(3, trained).read_bytes())
    with pytest.raises(DamagedFile, match=f"{path}: its SHA-256"):
        store.load_into(network(), 3)


def test_another_architecture_is_refused_with_the_keys_that_differ(store):
    store.save(1, network(width=6))
    with pytest.raises(
        MeasurementError, match=r"other shapes: 3\.bias is \(6,\) instead of \(7,\), 3\.weight"
    ):
        store.load_into(network(width=7), 1)
    model = nn.Sequential(nn.Conv2d(1, 4, 3))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(MeasurementError, match=r"unexpected: 1\.bias, .* and 3 more"):
        store.load_into(model, 1)
    assert same(model.state_dict(), before)
    with pytest.raises(MeasurementError, match=r"missing: 4\.bias, 4\.weight"):
        store.load_into(nn.Sequential(*network(), nn.Linear(6, 2)), 1)


def test_loading_into_a_model_gives_that_epoch(store):
    model, other = network(), network()
    nn.init.zeros_(other[3].weight)
    store.save(5, model)
    store.load_into(other, 5)
    assert same(other.state_dict(), model.state_dict())


def test_a_state_that_is_not_tensors_is_refused(store):
    class Odd(nn.Linear):
        def get_extra_state(self):
            return {"calls": 3}

    with pytest.raises(ModelError, match=r"other than tensors \(_extra_state\)"):
        store.save(0, Odd(2, 2))
    assert not store.folder.exists()


def test_nothing_is_unpickled_from_a_checkpoint(store):
    path = store.save(0, network())
    assert safetensors.torch.load(path.read_bytes()).keys() == network().state_dict().keys()


# ---- the resume point


def point(epoch, identity="abc", optimizer=torch.optim.AdamW):
    model = network()
    steps = optimizer(model.parameters(), lr=0.1)
    model(torch.ones(2, 1, 4, 4)).sum().backward()
    steps.step()
    return ResumePoint(epoch, identity, model.state_dict(), steps.state_dict()["state"])


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.SGD])
def test_a_resume_point_comes_back_bit_for_bit(store, optimizer):
    written = point(4, optimizer=optimizer)
    store.save_resume(written)
    read = store.load_resume("abc")
    assert (read.epoch, read.identity) == (4, "abc")
    assert same(read.model, written.model)
    assert read.optimizer.keys() == written.optimizer.keys()
    for index, state in written.optimizer.items():
        for name, value in state.items():
            assert value is None or torch.equal(read.optimizer[index][name], value)


def test_half_precision_and_empty_tensors_survive(store):
    model = {"half": torch.rand(3).bfloat16(), "empty": torch.empty(0, 2), "flag": torch.tensor(True)}
    store.save_resume(ResumePoint(1, "abc", model, {}))
    assert same(store.load_resume("abc").model, model)


def test_without_a_resume_point_there_is_none(store, caplog):
    assert store.load_resume("abc") is None
    assert caplog.text == ""


def test_the_point_before_the_newest_is_kept(store):
    for epoch in (1, 2, 3):
        store.save_resume(point(epoch))
    assert ResumePoint.read(store.resume_path).epoch == 3
    assert ResumePoint.read(store.previous_resume_path).epoch == 2


@pytest.mark.parametrize("harm", ["truncated", "empty", "text", "flipped"])
def test_a_damaged_resume_point_is_named_and_the_previous_one_used(store, caplog, harm):
    for epoch in (1, 2):
        store.save_resume(point(epoch))
    content = store.resume_path.read_bytes()
    flipped = content.replace(point(2).model["3.weight"].numpy().tobytes()[:8], b"\0" * 8)
    store.resume_path.write_bytes(
        {"truncated": content[:-500], "empty": b"", "text": b"hello" * 99, "flipped": flipped}[harm]
    )
    assert store.resume_path.read_bytes() != content
    assert store.load_resume("abc").epoch == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"damaged file {store.resume_path}: " in record.getMessage()


def test_a_point_whose_content_changed_after_its_digest_is_damaged(store):
    written = point(2)
    store.save_resume(written)
    tree = torch.load(store.resume_path, weights_only=True)
    tree["content"]["model"]["3.weight"][0, 0] += 1
    torch.save(tree, store.resume_path)
    with pytest.raises(DamagedFile, match=r"its content is not what was written"):
        ResumePoint.read(store.resume_path)


@pytest.mark.parametrize("content", [{}, {"content": 1, "digest": 2, "more": 3}, [1], torch.zeros(2)])
def test_something_else_that_torch_can_load_is_not_a_resume_point(store, content):
    store.folder.mkdir()
    torch.save(content, store.resume_path)
    with pytest.raises(DamagedFile, match=r"it is not a resume point"):
        ResumePoint.read(store.resume_path)


def test_when_both_points_are_damaged_training_starts_again_with_a_warning(store, caplog):
    for epoch in (1, 2):
        store.save_resume(point(epoch))
    for path in (store.resume_path, store.previous_resume_path):
        path.write_bytes(b"nothing")
    assert store.load_resume("abc") is None
    assert "no intact resume point is left" in caplog.messages[-1]
    assert "resume_previous.pt" in caplog.messages[-2]


def test_a_resume_point_of_another_config_is_refused(store):
    store.save_resume(point(1, identity="abc"))
    with pytest.raises(RunFolderError, match=r"hash abc, but this config has xyz"):
        store.load_resume("xyz")


class Malice:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("writer", [torch.save, lambda tree, path: path.write_bytes(pickle.dumps(tree))])
def test_a_resume_point_that_holds_foreign_objects_is_refused_and_never_executed(
    store, tmp_path, caplog, writer
):
    store.folder.mkdir()
    proof = tmp_path / "executed"
    writer({"content": Malice(proof), "digest": ""}, store.resume_path)
    assert store.load_resume("abc") is None
    assert not proof.exists()
    assert "something other than tensors and numbers, which is never loaded" in caplog.messages[0]


def test_points_of_versions_without_mid_epoch_points_still_load(store):
    old = {name: value for name, value in vars(point(2)).items() if name != "part"}
    save_content(store, old)
    assert store.load_resume("abc").position == Position(2, 0)


def test_points_of_an_unknown_version_are_refused_clearly(store):
    save_content(store, {**vars(point(2)), "shards": 4})
    with pytest.raises(RunFolderError, match=r"resume\.pt was written by another version of layerscope"):
        store.load_resume("abc")


def save_content(store, content):
    store.folder.mkdir()
    torch.save({"content": content, "digest": resume_module._digest(content)}, store.resume_path)


def test_a_part_of_an_epoch_comes_back_as_it_was(store):
    counts = Counts(
        torch.tensor([64, 8]), torch.tensor([0.1, 1 / 3], dtype=torch.float64), torch.tensor([9, 1])
    )
    part = EpochPart(2, 1.5, counts, {0: {"cpu": torch.get_rng_state()}})
    store.save_resume(replace(point(4), part=part))
    found = store.load_resume("abc").part
    assert (found.step, found.seconds) == (2, 1.5)
    for name in ("sizes", "losses", "hits"):
        assert torch.equal(getattr(found.counts, name), getattr(counts, name))
    assert torch.equal(found.dropout[0]["cpu"], torch.get_rng_state())
    assert read_position(store.folder) == Position(4, 2)


def test_an_altered_part_is_found_out(store, caplog):
    content = {**vars(point(4)), "part": EpochPart(2, 1.5).to_tree()}
    digest = resume_module._digest(content)
    content["part"]["step"] = 3
    store.folder.mkdir()
    torch.save({"content": content, "digest": digest}, store.resume_path)
    assert store.load_resume("abc") is None
    assert "its content is not what was written" in caplog.messages[0]


# ---- a full disk


def test_a_full_disk_loses_nothing_that_was_saved(small_disk):
    store = CheckpointStore(small_disk / "checkpoints")
    store.save(0, network())
    store.save_resume(point(0))
    store.save_resume(point(1))
    before = {path.name: path.read_bytes() for path in store.folder.iterdir()}
    (small_disk / "filler").write_bytes(b"x" * (small_disk_free(small_disk) - 2000))

    with pytest.raises(
        StorageError, match=r"cannot write .*epoch_0001.*No space left.*What was saved before"
    ):
        store.save(1, nn.Linear(100, 100))
    with pytest.raises(StorageError, match=re.escape(str(store.resume_path))):
        store.save_resume(point(2))
    assert {path.name: path.read_bytes() for path in store.folder.iterdir()} == before
    assert store.load_resume("abc").epoch == 1


def small_disk_free(place):
    status = os.statvfs(place)
    return status.f_bavail * status.f_bsize
