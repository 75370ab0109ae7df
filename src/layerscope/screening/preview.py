"""What a screening would do, network by network; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerscope.config.screening import Screening
from layerscope.data.presence import is_absent
from layerscope.errors import LayerscopeError
from layerscope.screening.candidates import Candidate, candidates
from layerscope.screening.quantities import screened_quantities
from layerscope.screening.screen import known_networks

if TYPE_CHECKING:
    from layerscope.data.catalog import DatasetInfo


@dataclass(frozen=True)
class Foreseen:
    """One network, as far as it can be known without its data.

    ``state`` is ``measured`` (nothing to do), ``to do`` or ``fails``; ``message`` says why it would fail.
    """

    model: str
    architecture: str
    state: str
    weights: str = ""
    parameters: int = 0
    dim: int = 0
    accuracy_kind: str = ""
    message: str = ""


@dataclass(frozen=True)
class ScreeningPreview:
    """All networks, the numbers that are compared, and what is wrong beside single networks."""

    networks: list[Foreseen]
    measures: list[str]
    folder: str
    data: str
    problems: list[str]


def preview(screening: Screening) -> ScreeningPreview:
    """Build every network on the meta device, and read the weights' names and shapes.

    Raises
    ------
    LayerscopeError
        Nothing can be said: the measures, the data or the files of weights are named wrongly.
    """
    from layerscope.data.catalog import describe

    config = screening.config
    info, among = describe(config.data), candidates(screening)
    known = known_networks(screening, among)
    networks = [_foreseen(one, screening, info, known=one.name in known) for one in among]
    problems = [f"{one.model}: {one.message}" for one in networks if one.state == "fails"]
    if is_absent(info.name, config.data.root) and not config.data.download:
        problems.append(f"there is no {info.name} on this machine; Data.root names its folder")
    names = list(screened_quantities(config))
    return ScreeningPreview(networks, names, str(screening.folder), info.name, problems)


def _foreseen(candidate: Candidate, screening: Screening, info: DatasetInfo, *, known: bool) -> Foreseen:
    from layerscope.screening.measured import accuracy_kind
    from layerscope.screening.network import network_of

    architecture = "" if candidate.model is None else candidate.model.model_name
    try:
        network = network_of(candidate, screening.settings, screening.config, info, device="meta")
    except LayerscopeError as error:
        return Foreseen(candidate.name, architecture, "fails", message=str(error))
    kind = accuracy_kind(screening.settings.accuracy, knows_classes=network.knows_classes)
    state = "measured" if known else "to do"
    about = (network.origin, network.parameters, network.dim, kind)
    return Foreseen(candidate.name, architecture, state, *about)
