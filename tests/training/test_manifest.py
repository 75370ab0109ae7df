from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from layerscope.errors import DamagedFile, MeasurementError
from layerscope.training.manifest import CheckpointEntry, CheckpointManifest

CONTENT = b"weights" * 100


@pytest.fixture
def manifest(tmp_path):
    manifest = CheckpointManifest(tmp_path / "checkpoints")
    manifest.folder.mkdir()
    for epoch in (10, 2):
        (manifest.folder / f"epoch_{epoch:04d}").write_bytes(CONTENT)
        digest = hashlib.sha256(CONTENT).hexdigest()
        manifest.record(epoch, CheckpointEntry(f"epoch_{epoch:04d}", len(CONTENT), digest))
    return manifest


def test_a_run_that_has_saved_nothing_has_no_epochs(tmp_path):
    manifest = CheckpointManifest(tmp_path / "nothing")
    assert manifest.epochs() == ()
    assert manifest.missing([3, 1]) == (1, 3)
    assert not manifest.intact(1)


def test_recorded_epochs_are_listed_in_numerical_order(manifest):
    assert manifest.epochs() == (2, 10)
    assert list(json.loads(manifest.path.read_text())) == ["2", "10"]


def test_another_process_reads_what_was_recorded(manifest):
    again = CheckpointManifest(manifest.folder)
    assert again.entry(2) == manifest.entry(2)
    assert again.verify(2) == manifest.folder / "epoch_0002"


def test_an_epoch_that_was_never_saved_is_answered_with_those_that_were(manifest):
    with pytest.raises(MeasurementError, match=r"no checkpoint of epoch 3 \(saved: 2, 10\)"):
        manifest.entry(3)


def test_a_truncated_file_is_neither_intact_nor_verified(manifest):
    path = manifest.folder / "epoch_0010"
    path.write_bytes(CONTENT[:-1])
    assert manifest.intact(2)
    assert not manifest.intact(10)
    assert manifest.missing([2, 10, 11]) == (10, 11)
    with pytest.raises(DamagedFile, match=f"{path}: it has 699 bytes, but 700 were written"):
        manifest.verify(10)


def test_a_flipped_byte_is_found_by_verifying(manifest):
    path = manifest.folder / "epoch_0002"
    path.write_bytes(b"W" + CONTENT[1:])
    assert manifest.intact(2)
    with pytest.raises(DamagedFile, match=f"{path}: its SHA-256 is not that of what was written"):
        manifest.verify(2)


def test_a_deleted_file_is_named(manifest):
    (manifest.folder / "epoch_0002").unlink()
    assert not manifest.intact(2)
    with pytest.raises(DamagedFile, match="epoch_0002: it cannot be read"):
        manifest.verify(2)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"0": ',
        b"[]",
        b"\xff\xfe",
        b'{"x": {"file": "a", "bytes": 1, "sha256": ""}}',
        b'{"0": {"file": "a"}}',
        b'{"0": {"file": "../a", "bytes": 1, "sha256": ""}}',
        b'{"0": {"file": "a", "bytes": "1", "sha256": ""}}',
        b'{"0": {"file": 3, "bytes": 1, "sha256": ""}}',
    ],
)
def test_a_garbled_manifest_is_named(manifest, content):
    manifest.path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"manifest\.json: it is not a list of checkpoints") as caught:
        manifest.epochs()
    assert "Delete it" in str(caught.value)


def test_the_manifest_needs_no_torch():
    code = "import sys, layerscope.training.manifest; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def scored(manifest, *scores):
    for epoch, score in enumerate(scores):
        (manifest.folder / f"scored_{epoch}").write_bytes(CONTENT)
        manifest.record(epoch, CheckpointEntry(f"scored_{epoch}", len(CONTENT), "0", score=score))


def test_the_best_epoch_has_the_greatest_score_and_is_the_first_of_equals(tmp_path):
    manifest = CheckpointManifest(tmp_path)
    assert manifest.best() is None
    scored(manifest, (0.5, -2.0), (0.5, -1.0), (0.5, -1.0), ())
    assert manifest.best() == 1
    assert manifest.best(last=0) == 0
    assert CheckpointManifest(tmp_path).entry(1).score == (0.5, -1.0)


def test_what_was_the_best_once_is_outdone_unless_it_is_due(tmp_path):
    manifest = CheckpointManifest(tmp_path)
    scored(manifest, (0.1,), (0.2,), (0.3,), (0.4,))
    assert manifest.outdone([0]) == (1, 2)
    assert manifest.outdone([0], last=2) == (1,)


def test_what_is_removed_leaves_no_trace(tmp_path):
    manifest = CheckpointManifest(tmp_path)
    scored(manifest, (0.1,), (0.2,))
    manifest.remove([0])
    assert manifest.epochs() == (1,)
    assert not (tmp_path / "scored_0").exists()
