"""The networks of a screening, one after another: what is known is kept, what fails is said."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.claim import exclusive
from layerscope.config.screening import Screening
from layerscope.errors import LayerscopeError, UnexpectedError
from layerscope.files import write_atomic
from layerscope.screening.candidates import Candidate, candidates
from layerscope.screening.key import screening_key
from layerscope.screening.quantities import screened_quantities
from layerscope.screening.table import COLUMNS, FAILED, Row, ScreenTable, is_known

if TYPE_CHECKING:
    from layerscope.screening.measured import Screener


@dataclass(frozen=True)
class Screened:
    """What came of one network: whether it was measured now, and why not, if that failed."""

    candidate: Candidate
    worked: bool
    error: LayerscopeError | None = None


Watch = Callable[[Screened], None]


def known_networks(screening: Screening, among: Sequence[Candidate]) -> set[str]:
    """Names of the networks whose rows are there already, of the same weights and settings."""
    table = ScreenTable(screening.folder).read()
    return {one.name for one in among if _is_known(one, screening, table)}


def screen(screening: Screening, *, device: str = "auto", watch: Watch = lambda _: None) -> list[Screened]:
    """Measure what is missing and write ``screen.csv`` after each network.

    A network that fails leaves a row that says why, is tried again next time, and does not stop the others.
    Rows of networks that the screening does not name go.

    Raises
    ------
    LayerscopeError
        The data cannot be had, nothing is named, or another process works in the folder.
    """
    wanted = candidates(screening)
    screened_quantities(screening.config)
    with exclusive(screening.folder):
        table = ScreenTable(screening.folder)
        known = table.read()
        fresh = {one.name for one in wanted if _is_known(one, screening, known)}
        rows: dict[str, Sequence[Row]] = {name: known[name] for name in fresh}
        outcomes = []
        for candidate, found, outcome in _each(screening, wanted, fresh, device):
            if found:
                rows[candidate.name] = found
                table.write(_in_order(wanted, rows))
            outcomes.append(outcome)
            watch(outcome)
        table.write(_in_order(wanted, rows))
    return outcomes


def _each(
    screening: Screening, wanted: Sequence[Candidate], fresh: set[str], device: str
) -> Iterator[tuple[Candidate, list[Row], Screened]]:
    """Each network with its new rows, if there was anything to do."""
    screener = None
    for candidate in wanted:
        if candidate.name in fresh:
            yield candidate, [], Screened(candidate, worked=False)
            continue
        screener = screener or _screener(screening, device)
        try:
            found = _measured(screener, candidate, screening)
        except LayerscopeError as error:
            yield candidate, [_failure(candidate, error)], Screened(candidate, worked=True, error=error)
        else:
            yield candidate, found, Screened(candidate, worked=True)


def _screener(screening: Screening, device: str) -> Screener:
    from layerscope.data.load import load_data
    from layerscope.devices import device_of
    from layerscope.screening.measured import Screener

    place = device_of(device)
    return Screener(screening, load_data(screening.config.data, screening.config.run, place), place)


def _measured(screener: Screener, candidate: Candidate, screening: Screening) -> list[Row]:
    try:
        rows = screener.rows(candidate)
        key = screening_key(candidate, screening)
    except LayerscopeError:
        raise
    except Exception as error:  # a bug, or a library's own: it ends this network, not the others
        path = screening.folder / "errors" / f"{_plain(candidate.name)}.txt"
        with contextlib.suppress(OSError, LayerscopeError):
            write_atomic(path, "".join(traceback.format_exception(error)))
        raise UnexpectedError(f"{type(error).__name__}: {error} (traceback in {path})") from error
    return [{**row, "key": key} for row in rows]


def _failure(candidate: Candidate, error: LayerscopeError) -> Row:
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    architecture = None if candidate.model is None else candidate.model.model_name
    about = {"model": candidate.name, "family": candidate.family, "architecture": architecture}
    return {**row, **about, "status": FAILED, "message": str(error)}


def _is_known(
    candidate: Candidate, screening: Screening, table: Mapping[str, Sequence[Mapping[str, str]]]
) -> bool:
    rows = table.get(candidate.name)
    if not rows or candidate.problem or rows[0]["status"] == FAILED:
        return False
    return is_known(rows, screening_key(candidate, screening))


def _in_order(wanted: Sequence[Candidate], rows: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    for candidate in wanted:
        yield from rows.get(candidate.name, ())


def _plain(name: str) -> str:
    return Path(name).as_posix().strip("/").replace("/", "_")
