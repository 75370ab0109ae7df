"""A fork does what a new process would, in less time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from layerscope.config import parse_config
from layerscope.run import Run

PRETENDED = """\
import os, sys
print(sys.argv[1:], sorted(os.environ), sys.stdin.read() == "")
print("to stderr", file=sys.stderr)
if "fail" in sys.argv:
    raise RuntimeError("no good")
sys.exit(75)
"""
FORKS = """\
import sys, pathlib
from layerscope.launch.workers.forked import fork
with open(sys.argv[1], "ab") as output:
    children = [fork("pretended", [word], {"A": "1"}, output) for word in ("x", "fail")]
    print([child.wait() for child in children], sys.argv[2:])
"""
QUEUE = """\
import sys
from layerscope.launch.local.queue import run_queue
from layerscope.launch.workers import child
from layerscope.run import Run
child.subprocess = None  # so that there is no other way than a fork
for told in run_queue([Run.open(folder) for folder in sys.argv[1:]], ["plot"], workers=1, device="cpu"):
    print(told.state, told.worked)
"""
LOG = """\
epoch,train_loss,train_accuracy,test_loss,test_accuracy,lr,seconds
0,nan,nan,2,0.1,0,0
1,1,0.8,1,0.7,0.1,0
"""

UNLIMITED = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
"""Variables with which numpy starts a thread per core as it is loaded."""


def python(code: str, *arguments: object, **more: object) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, **more)
    assert done.stderr == ""
    return done.stdout


def test_a_fork_has_its_own_arguments_variables_output_and_end(tmp_path, monkeypatch):
    (tmp_path / "pretended.py").write_text(PRETENDED, encoding="utf-8")
    said = python(FORKS, tmp_path / "log", "untouched", cwd=tmp_path)
    assert said == "[75, 1] ['untouched']\n"
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "['x'] ['A'" in log
    assert log.count("to stderr") == 2
    assert "RuntimeError: no good" in log


def test_runs_that_only_lack_figures_are_drawn_by_forks_of_the_queue(tmp_path):
    tree = {
        "Model": {"model-name": "mlp_single"},
        "Data": {"dataset-id": "digits"},
        "Optimizer": {"lr": 0.1, "epochs": 1},
        "Logging": {"save-dir": str(tmp_path)},
    }
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        Run(parse_config(tree), folder, folder.name, {"Run.run": 0}).claim_config()
        (folder / "log.csv").write_text(LOG, encoding="utf-8")
    assert python(QUEUE, *folders, env=UNLIMITED) == "done ('plot',)\n" * 2
    for folder in folders:
        assert [path.name for path in Path(folder, "plots").iterdir()] == ["Overview.png"]
        assert "plot is done" in (folder / "jobs" / "plot.log").read_text(encoding="utf-8")


def test_nothing_that_may_start_threads_is_loaded_before_the_queue_decides_whether_to_fork():
    code = "import sys, layerscope.commands, layerscope.launch.local.queue as _; print(*sys.modules)"
    assert not {"numpy", "pandas", "pyarrow", "matplotlib", "torch"} & set(python(code).split())
