"""Runs that miss the same data set at once fetch it once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from layerscope.data.places import find_or_download
from layerscope.errors import DataError

DOWNLOADER = """
import sys, time
from pathlib import Path
from layerscope.data.places import find_or_download

def missing(place):
    return [] if (place / "images").is_file() else ["images"]

def download(place):
    with (place / "calls").open("a") as calls:
        calls.write("called\\n")
    (place / "images").write_text("half")  # torn, until the download has ended
    time.sleep(1.5)
    (place / "images").write_text("whole")

root = Path(sys.argv[1])
print((find_or_download("toy", [root], missing, "", download, root) / "images").read_text())
"""


def downloading(root):
    return subprocess.Popen([sys.executable, "-c", DOWNLOADER, str(root)], stdout=subprocess.PIPE, text=True)


def test_two_processes_download_once_and_neither_reads_what_is_torn(tmp_path):
    with downloading(tmp_path) as one, downloading(tmp_path) as other:
        said = [process.communicate(timeout=100)[0].strip() for process in (one, other)]
    assert said == ["whole", "whole"]
    assert (tmp_path / "calls").read_text() == "called\n"


def test_what_is_there_needs_no_claim_on_its_folder(tmp_path):
    place = find_or_download("toy", [tmp_path], lambda _: [], "", pytest.fail, tmp_path / "elsewhere")
    assert place == tmp_path
    assert not (tmp_path / "elsewhere").exists()


def test_a_download_that_failed_can_be_tried_again(tmp_path):
    def fails(place):
        raise OSError("the peer hung up")

    def missing(place):
        return [] if (place / "images").is_file() else ["images"]

    with pytest.raises(DataError, match="the peer hung up"):
        find_or_download("toy", [tmp_path], missing, "", fails, tmp_path)
    works = lambda place: (place / "images").touch()  # noqa: E731
    assert find_or_download("toy", [tmp_path], missing, "", works, tmp_path) == tmp_path
