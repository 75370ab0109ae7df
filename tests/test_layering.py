"""Imports go one way: a module imports only from rows below its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "layerscope"

ROWS = [  # lowest first; the rooms of one row do not import each other
    {"version", "errors", "heartbeat", "source"},
    {"provenance", "devices", "files"},
    {"claim", "status", "distributed"},
    {"config"},
    {"functional", "data", "models"},
    {"training", "features", "statistics", "results"},
    {"measures", "plotting"},
    {"measurement"},
    {"run_folder"},
    {"stages"},
    {"run"},
    {"launch"},
    {"preview"},
    {"experiment"},
    {"console"},
    {"commands"},
    {"cli"},
]
WITHOUT_TORCH = [
    *("errors", "files", "status", "claim", "source", "heartbeat", "distributed", "config", "data"),
    *("models.names", "training.manifest", "results", "plotting", "measurement.key", "run_folder", "run"),
    *("launch.submit", "launch.states", "launch.local", "launch.worker", "launch.job", "preview.preview"),
    *("experiment", "console", "commands", "cli"),
]


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "layerscope"


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" if node.module == "layerscope" else str(node.module)
                     for alias in node.names]  # fmt: skip
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {room_of(name) for name in names if name.startswith("layerscope.")}
    return found


def row_of(room: str) -> int:
    return next(number for number, row in enumerate(ROWS) if room in row)


def own_room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_rows_below_its_own(path):
    own = own_room(path)
    for other in imported_rooms(path) - {own}:
        assert row_of(other) < row_of(own), f"{own} imports {other}, which is not below it"


def test_every_room_has_its_row():
    rooms = {own_room(path) for path in modules()}
    assert rooms == set().union(*ROWS)


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_a_login_node_does_not_wait_for_torch(module):
    code = f"import sys, layerscope.{module}; sys.exit('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert result.returncode == 0, f"layerscope.{module} imports torch"


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, layerscope; print(sorted({'torch', 'pandas', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert answer.stdout.strip() == "[]"
