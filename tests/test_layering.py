"""Imports go one way: a module imports only from rows below its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "layerscope"

ROWS = [  # lowest first; the rooms of one row do not import each other
    {"version", "errors", "heartbeat", "source", "collection"},
    {"provenance", "devices", "files"},
    {"claim", "status", "distributed"},
    {"config"},
    {"functional", "data", "models"},
    {"training", "features", "statistics", "results", "estimators", "pairing"},
    {"measures", "plotting"},
    {"measurement"},
    {"run_folder"},
    {"stages"},
    {"run"},
    {"launch"},
    {"preview"},
    {"experiment", "screening"},
    {"console"},
    {"commands"},
    {"cli"},
]
WITHOUT_TORCH = [
    *("errors", "files", "status", "claim", "source", "heartbeat", "distributed", "config", "data"),
    *("models.names", "training.manifest", "results", "plotting", "measurement.key", "run_folder", "run"),
    *("launch.submission.submit", "launch.local.queue", "launch.worker", "launch.job"),
    *("launch.following.status", "launch.cleaning.clean", "preview.preview"),
    *("experiment", "screening.screen", "screening.text", "console", "commands", "cli"),
]


LAUNCH_ROWS = [  # the rooms inside of launch, lowest first
    {"errors", "selection", "renamed"},
    {"slurm"},
    {"states"},
    {"arrays"},
    {"submission"},
    {"workers"},
    {"worker", "job", "local", "following"},
    {"cleaning"},
]


PLOTTING_ROWS = [  # the rooms inside of plotting, lowest first
    {"drawing"},
    {"run_tables", "quantity"},
    {"registry"},
    {"freshness"},
    {"run", "matrix"},
    {"report"},
    {"listing", "plotter", "figures"},
]


HOUSES = {"layerscope": ROWS, "layerscope.launch": LAUNCH_ROWS, "layerscope.plotting": PLOTTING_ROWS}


def modules(house: str = "layerscope") -> list[Path]:
    folder = PACKAGE.joinpath(*house.split(".")[1:])
    return sorted(path for path in folder.rglob("*.py") if path != folder / "__init__.py")


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {name for name in found if name.startswith("layerscope.")}


def room_of(module: str, house: str) -> str | None:
    """The room of a house that a module lives in; None if it lives elsewhere."""
    return module.removeprefix(f"{house}.").split(".")[0] if module.startswith(f"{house}.") else None


def own_room(path: Path, house: str) -> str | None:
    module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return room_of(module, house)


def row_of(room: str, house: str) -> int:
    return next(number for number, row in enumerate(HOUSES[house]) if room in row)


CASES = [pytest.param(house, path, id=f"{house}-{path.relative_to(PACKAGE)}")
         for house in HOUSES for path in modules(house)]  # fmt: skip


@pytest.mark.parametrize(("house", "path"), CASES)
def test_a_module_imports_only_from_rows_below_its_own(house, path):
    own = own_room(path, house)
    for other in {room_of(name, house) for name in imported(path)} - {own, None}:
        assert row_of(other, house) < row_of(own, house), f"{own} imports {other}, which is not below it"


@pytest.mark.parametrize("house", HOUSES)
def test_every_room_has_its_row(house):
    rooms = {own_room(path, house) for path in modules(house)}
    assert rooms == set().union(*HOUSES[house])


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
