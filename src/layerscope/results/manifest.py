"""The list of what a folder of tables holds: which epochs, measured how, and a digest of their rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

from layerscope.errors import DamagedFile
from layerscope.files import write_json

REMEDY = "Delete it and run the same command again; the tables will be measured anew."


class Entry(TypedDict):
    """One epoch of one measure: how it was measured, its rows' digest, the data splits among them."""

    key: str
    digest: str
    splits: list[str]


Manifest = dict[str, dict[int, Entry]]


def read_whole(path: Path) -> bytes | None:
    """The content of a file, for those who read thousands; None when it is not there."""
    try:
        with path.open("rb", buffering=0) as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def load_manifest(path: Path) -> Manifest:
    """Measure → epoch → entry; empty when the file is not there.

    Raises
    ------
    DamagedFile
        The file is not what :func:`save_manifest` writes.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {measure: _entries(epochs) for measure, epochs in content.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedFile(path, "it is not a list of measured epochs", REMEDY) from error


def load_digests(path: Path, measure: str) -> dict[int, str] | None:
    """Epoch → digest of its rows, without a look at other measures; None when nothing is said of this one.

    Raises
    ------
    DamagedFile
        The file is not what :func:`save_manifest` writes.
    """
    content = read_whole(path)
    if content is None:
        return None
    head = f"\n  {json.dumps(measure)}: ".encode()
    begin = content.find(head)
    end = content.find(b"\n  }", begin)
    try:
        if begin >= 0 <= end:
            epochs = json.loads(content[begin + len(head) : end + 4])
            return {int(epoch): entry["digest"] for epoch, entry in epochs.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    entries = load_manifest(path).get(measure)  # not there, in another spelling, or damaged
    return None if entries is None else {epoch: entry["digest"] for epoch, entry in entries.items()}


def save_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest in one step, sorted, without measures that have no epoch."""
    content = {
        measure: {str(epoch): manifest[measure][epoch] for epoch in sorted(manifest[measure])}
        for measure in sorted(manifest)
        if manifest[measure]
    }
    write_json(path, content)


def _entries(epochs: dict[str, dict[str, object]]) -> dict[int, Entry]:
    return {int(epoch): _entry(entry) for epoch, entry in epochs.items()}


def _entry(entry: dict[str, object]) -> Entry:
    splits = entry["splits"]
    if not isinstance(splits, list):
        raise TypeError("splits is not a list")
    return {
        "key": str(entry["key"]),
        "digest": str(entry["digest"]),
        "splits": [str(split) for split in splits],
    }
