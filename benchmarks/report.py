"""The report of a thousand runs: how long writing takes, its size, and how soon a browser shows it."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from catalogue import EPOCHS, write_runs
from pairs import Comparison

WRITE = """\
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from layerscope.config import load_config
from layerscope.plotting.report import results_read
from layerscope.plotting.report.report import write_report
from layerscope.plotting.report.reported_run import ReportedRun
from layerscope.results.run_folders import run_folders
base = Path(sys.argv[1])
folders = run_folders(base)
assert len(folders) == 1000, len(folders)
config = load_config(folders[0] / "config.yaml")  # the command has read them all before it reports
runs = [ReportedRun(str(folder.relative_to(base)), folder, config, state="done") for folder in folders]
numbers, plain = np.random.default_rng(0), results_read.measured
def varied(*table):  # the runs on the disk repeat twenty contents, which gzip would make nothing of
    found = plain(*table)
    return replace(found, values=numbers.lognormal(0, 4, len(found.values)))
results_read.measured = varied
write_report(base, runs)
"""
COLUMNS = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "lr",
    "seconds",
    "images_per_second",
)
SECONDS, MEGABYTES, FIRST_FIGURE = 60, 30, 3
"""Bounds: to write it, of its size, and until the first figure."""

_BROWSER = ("chromium", "chromedriver")
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
_PATIENCE = 60
_DRAWN = "return document.getElementById('profile')?.dataset.drawn !== undefined"


def run() -> list[Comparison]:
    """Compare 1,000 runs × 20 measures (× 20 epochs × 20 layers × 2 splits) with the bounds."""
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        write_runs(base)
        for folder in {path.parent for path in base.rglob("config.yaml")}:
            _write_log(folder / "log.csv")
        seconds = [_write(base) for _ in range(2)]
        path = base / "report.html"
        found = [
            Comparison("report of 1,000 runs, 20 measures / 60 s", seconds, [SECONDS] * 2, 1),
            Comparison("its size in MB / 30 MB", [path.stat().st_size / 1e6], [MEGABYTES], 1),
        ]
        return [*found, *_opening(path)]


def _write(base: Path) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", WRITE, str(base)], check=True, timeout=600)
    return time.perf_counter() - started


def _write_log(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for epoch in EPOCHS:
            learnt = 1 - 0.9 * math.exp(-epoch / 4)
            writer.writerow([epoch, 1 - learnt, learnt, 1.1 - learnt, 0.95 * learnt, 0.1, 1.0, 5000.0])


def _opening(path: Path) -> list[Comparison]:
    """Seconds from the call until the first figure stands, in a browser that runs already."""
    if not all(map(shutil.which, _BROWSER)):
        print("| opening the report: left out, chromium and chromedriver are not installed | | | | |")
        return []
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which(_BROWSER[0]))
    for flag in _FLAGS:
        options.add_argument(flag)
    browser = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(str(shutil.which(_BROWSER[1])))
    )
    try:
        browser.set_page_load_timeout(_PATIENCE)
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            browser.get(path.as_uri())
            WebDriverWait(browser, _PATIENCE, poll_frequency=0.02).until(
                lambda one: one.execute_script(
                    "return document.getElementById('profile')?.dataset.drawn !== undefined"
                )
            )
            seconds.append(time.perf_counter() - started)
    finally:
        browser.quit()
    return [Comparison("first figure of that report in Chromium / 3 s", seconds, [FIRST_FIGURE] * 3, 1)]
