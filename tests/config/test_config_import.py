"""The config room is light: it starts a command line, so it must not start torch."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "scipy", "sklearn")


def test_loading_a_config_imports_nothing_heavy(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        "Model: {model-name: resnet18}\nData: {dataset-id: mnist}\n"
        "Optimizer: {lr: 1, epochs: 1}\nLogging: {save-dir: x}\n",
        encoding="utf-8",
    )
    code = (
        "import sys; from layerscope.config import load_config, json_schema;"
        f"load_config({str(path)!r}); json_schema();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_model_is_refused_without_importing_torchvision():
    code = (
        "import sys; from layerscope.config.lookup import canonical_model\n"
        "try: canonical_model('resnet19')\n"
        "except ValueError: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
