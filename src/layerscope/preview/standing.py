"""How every stage of every run stands, asked only of runs that have left a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerscope.launch.states.stage_states import StageState, stage_states
from layerscope.preview.presence import existing
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES

States = Mapping[str, StageState]

_UNTOUCHED: States = {stage: StageState("new") for stage in STAGES}


@dataclass(frozen=True)
class Standing:
    """How runs stand.

    Parameters
    ----------
    states : sequence of mapping
        Stage → state, for each run.
    begun : sequence of RunFolder
        The runs whose folder is there.
    """

    states: Sequence[States]
    begun: Sequence[RunFolder]


def standing(runs: Sequence[RunFolder]) -> Standing:
    """Look at the folders of the runs, and ask Slurm where jobs are involved."""
    begun = existing(runs)
    known = dict(zip(map(id, begun), stage_states(begun, STAGES) if begun else (), strict=True))
    return Standing([known.get(id(run), _UNTOUCHED) for run in runs], begun)
