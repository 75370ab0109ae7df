"""One headless Chromium for the tests of a file, and a report of six runs to look at with it."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from layerscope.config import load_config
from layerscope.plotting.report.report import write_report
from layerscope.plotting.report.reported_run import ReportedRun

LAYERS = ["block0.fc", "block1.fc", "block2.fc", "fc"]
EPOCHS = [0, 2, 5, 10]
RATES = [0.02, 0.067, 0.1]
PATIENCE = 20  # seconds
HOSTILE = "<script>alert(1)</script> & <b>%{x}"
SILENT = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
SILENT += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@dataclass(frozen=True)
class Reader:
    """What somebody with a browser does to a report."""

    driver: Any

    def open(self, path: Path, width: int = 1400, height: int = 1000) -> None:
        """Open a file in a window of this size, and wait for its first figure."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(path.as_uri())
        self.wait("return document.body.dataset.ready === 'yes'")

    def ask(self, script: str, *arguments: object) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: object) -> None:
        """Wait until a script returns something true."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(
            lambda _: self.ask(script, *arguments)
        )

    def set(self, name: str, value: str, event: str = "change") -> None:
        """Give a control a value, as a hand or a key would, and wait for what it changes."""
        drawn = self.drawn()
        self.ask(
            "const control = document.getElementById(arguments[0]); control.value = arguments[1];"
            "control.dispatchEvent(new Event(arguments[2]))",
            *(name, value, event),
        )
        self.wait("return Number(document.getElementById('course').dataset.drawn) > arguments[0]", drawn)

    def drawn(self) -> int:
        """How often the figures were drawn."""
        return int(self.ask("return Number(document.getElementById('course').dataset.drawn)"))

    def heights(self, figure: str = "profile") -> list[list[float | None]]:
        """The values of the lines in a figure."""
        return self.ask("return document.getElementById(arguments[0]).data.map((trace) => trace.y)", figure)

    def rows(self) -> list[str]:
        """The names of the runs that the table shows, in its order."""
        script = "return [...document.querySelectorAll('#runs tbody tr')].filter((row) => !row.hidden)"
        return self.ask(f"{script}.map((row) => row.querySelector('.name').textContent)")

    def press(self, selector: str) -> None:
        """Reach something with the keyboard and press Enter."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(Keys.ENTER)

    def complaints(self) -> list[str]:
        """What the console holds since the last question."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A headless Chromium; where there is none the tests are skipped, unless it is required."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing = "chromium and chromedriver are not installed (Debian: apt install chromium chromium-driver)"
        if os.environ.get("LAYERSCOPE_REQUIRE_BROWSER"):
            pytest.fail(missing)
        pytest.skip(missing)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in SILENT:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        browser.set_page_load_timeout(PATIENCE)
        browser.set_script_timeout(PATIENCE)
        yield Reader(browser)
    finally:
        browser.quit()


def reported(base: Path, name: str, lr: float, repetition: int, state: str = "done") -> ReportedRun:
    """A run as its command would tell the report of it."""
    folder = base / name
    axes = {"Optimizer.lr": lr, "Run.run": repetition}
    record = {"name": name, "axes": axes, "git": {"commit": "0123456789ab", "dirty": False}, "host": "node1"}
    record |= {"train_cpu": "a processor", **({"train_gpu": {"name": "a GPU"}} if lr == RATES[0] else {})}
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return ReportedRun(name, folder, load_config(folder / "config.yaml"), axes, state)


def spoilt(measure: str, row: dict[str, Any]) -> dict[str, Any]:
    """CDNV that is infinite at one layer of the last epoch, undefined at another, degenerate at a third."""
    what = [
        ("infinite", math.inf),
        ("undefined", math.nan),
        ("degenerate", row["value"]),
        ("ok", row["value"]),
    ]
    if measure != "CDNV" or row["epoch"] != EPOCHS[-1] or row["statistic"] != "mean":
        return row
    status, value = what[row["layer_index"]]
    return row | {"status": status, "value": value}


@pytest.fixture(scope="module")
def experiment(
    synthetic_run: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[ReportedRun]]:
    """Six runs over two axes: one with values that are no numbers, one with a name that is HTML."""
    base = tmp_path_factory.mktemp("experiment")
    runs = []
    for lr in RATES:
        for repetition in (0, 1):
            name = f"lr_{lr}/run_{repetition}" if (lr, repetition) != (0.1, 1) else f"lr_{lr}/{HOSTILE}"
            name = name.replace("</", "<|")  # a slash would be another folder
            odd = {"spoil": spoilt} if (lr, repetition) == (0.02, 0) else {}
            synthetic_run(base / name).write(LAYERS, EPOCHS, lr=lr, run=repetition, **odd)
            runs.append(reported(base, name, lr, repetition, "measured" if repetition else "done"))
    return base, runs


@pytest.fixture(scope="module")
def report(experiment: tuple[Path, list[ReportedRun]]) -> Path:
    """Their report."""
    base, runs = experiment
    source = base / "matrix.yaml"
    source.write_text("# Question: does <i>it</i> work?\nModel: {}\n", encoding="utf-8")
    return write_report(base, runs, source)
