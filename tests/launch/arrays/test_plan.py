"""Which arrays are planned, with which jobs at which index, and what they wait for."""

from __future__ import annotations

import itertools

import pytest

from layerscope.launch.arrays.array import After
from layerscope.launch.arrays.plan import plan_arrays
from layerscope.launch.arrays.routes import left_out
from layerscope.launch.arrays.throttle import shares
from layerscope.launch.slurm.queue import ClusterLimits
from layerscope.launch.states.stage_states import StageState
from layerscope.status import STAGES, STATES

from ..some_runs import runs_with

LIMITS = ClusterLimits(1001, known=True)
NEW = {stage: StageState("new") for stage in STAGES}


def standing(**states):
    """How the stages of a run stand: ``train="queued 5_0"``; those not named are new."""
    pairs = {stage: text.partition(" ") for stage, text in states.items()}
    return {**NEW, **{stage: StageState(state, job=job) for stage, (state, _, job) in pairs.items()}}


def plan(runs, states=None, stages=STAGES, limits=LIMITS):
    return plan_arrays(runs, stages, states or [NEW] * len(runs), limits, title="t")


def shape(arrays):
    """Stage, names by index, and what each waits for."""
    return [
        (
            array.stage,
            {
                index: [run.name for run in task]
                for index, task in zip(array.indices, array.tasks, strict=True)
            },
            [(one.kind, one.job if one.array is None else one.array) for one in array.after],
        )
        for array in arrays
    ]


def test_new_runs_become_one_array_for_each_stage():
    tasks = {0: ["run_0"], 1: ["run_1"], 2: ["run_2"]}
    assert shape(plan(runs_with(3))) == [
        ("train", tasks, []),
        ("measure", tasks, [("aftercorr", 0)]),
        ("plot", tasks, [("afterany", 1)]),
    ]


def test_a_single_run_is_an_array_of_one():
    assert shape(plan(runs_with(1)))[1] == ("measure", {0: ["run_0"]}, [("aftercorr", 0)])


def test_jobs_are_called_by_the_experiment_and_the_stage():
    assert [array.name for array in plan(runs_with(1))] == ["t.train", "t.measure", "t.plot"]


def test_only_the_stages_that_were_asked_for_are_planned():
    assert shape(plan(runs_with(1), stages=("train",))) == [("train", {0: ["run_0"]}, [])]


def test_figures_follow_training_when_nobody_asks_for_measuring():
    arrays = shape(plan(runs_with(1), stages=("train", "plot")))
    assert arrays[1] == ("plot", {0: ["run_0"]}, [("afterany", 0)])


def test_runs_in_different_states_go_to_arrays_of_their_own():
    runs = runs_with(4)
    states = [
        NEW,
        standing(train="done"),
        standing(train="done", measure="done"),
        standing(train="done", measure="done", plot="done"),
    ]
    assert shape(plan(runs, states)) == [
        ("train", {0: ["run_0"]}, []),
        ("measure", {0: ["run_0"]}, [("aftercorr", 0)]),
        ("plot", {0: ["run_0"]}, [("afterany", 1)]),
        ("measure", {0: ["run_1"]}, []),
        ("plot", {0: ["run_1"]}, [("afterany", 3)]),
        ("plot", {0: ["run_2"]}, []),
    ]


def test_nothing_is_planned_when_all_is_done_or_on_its_way():
    runs = runs_with(3)
    states = [
        standing(train="done", measure="done", plot="done"),
        standing(train="queued 5_0", measure="queued 6_0", plot="queued 7_0"),
        standing(train="done", measure="running 6_1", plot="queued 7_1"),
    ]
    assert plan(runs, states) == []
    assert left_out(runs, STAGES, states) == []


def test_measuring_takes_the_indices_of_the_trainings_that_are_in_the_queue():
    runs = runs_with(3)
    states = [
        standing(train=f"{state} 5_{n}") for n, state in ((7, "queued"), (2, "running"), (900, "queued"))
    ]
    tasks = {2: ["run_1"], 7: ["run_0"], 900: ["run_2"]}
    assert shape(plan(runs, states)) == [
        ("measure", tasks, [("aftercorr", "5")]),
        ("plot", tasks, [("afterany", 0)]),
    ]


def test_trainings_of_two_earlier_submissions_are_followed_by_two_arrays():
    states = [standing(train="queued 5_0"), standing(train="queued 9_0"), standing(train="queued 5_1")]
    assert shape(plan(runs_with(3), states, stages=("train", "measure"))) == [
        ("measure", {0: ["run_0"], 1: ["run_2"]}, [("aftercorr", "5")]),
        ("measure", {0: ["run_1"]}, [("aftercorr", "9")]),
    ]


def test_runs_that_share_a_training_job_share_a_measuring_job():
    states = [standing(train="queued 5_3")] * 2 + [standing(train="queued 5_4")]
    arrays = plan(runs_with(3), states, stages=("measure",))
    assert shape(arrays) == [("measure", {3: ["run_0", "run_1"], 4: ["run_2"]}, [("aftercorr", "5")])]
    assert arrays[0].width == 2


def test_a_training_that_is_no_task_of_an_array_is_waited_for_as_a_whole():
    states = [standing(train="queued 5")] * 2
    assert shape(plan(runs_with(2), states, stages=("measure",))) == [
        ("measure", {0: ["run_0"], 1: ["run_1"]}, [("afterany", "5")])
    ]


def test_figures_wait_for_measuring_that_is_in_the_queue():
    states = [standing(train="done", measure="running 6_4")]
    assert shape(plan(runs_with(1), states)) == [("plot", {0: ["run_0"]}, [("afterany", "6")])]


def test_what_waits_for_a_job_that_is_no_more_is_submitted_again_with_it():
    states = [standing(train="lost 5_0", measure="lost 6_0", plot="queued 7_0")]
    assert [array.stage for array in plan(runs_with(1), states)] == ["train", "measure", "plot"]
    states = [standing(train="done", measure="lost 6_0", plot="queued 7_0")]
    assert [array.stage for array in plan(runs_with(1), states)] == ["measure", "plot"]


def test_a_training_that_failed_is_left_out_with_all_that_needs_it():
    runs = runs_with(2)
    failed = {**standing(train="failed"), "train": StageState("failed", reason="the loss is NaN")}
    states = [failed, NEW]
    assert {run.name for array in plan(runs, states) for run in array.runs} == {"run_1"}
    assert [(one.run.name, one.stage, one.reason) for one in left_out(runs, STAGES, states)] == [
        ("run_0", "train", "failed: the loss is NaN"),
        ("run_0", "measure", "waits for train, which failed"),
        ("run_0", "plot", "waits for measure, which waits for train, which failed"),
    ]


def test_figures_alone_are_drawn_of_a_run_whose_measuring_failed():
    states = [standing(train="done", measure="failed")]
    assert shape(plan(runs_with(1), states, stages=("plot",))) == [("plot", {0: ["run_0"]}, [])]


def test_measuring_alone_is_left_out_while_there_is_nothing_to_measure():
    runs = runs_with(1)
    assert plan(runs, stages=("measure",)) == []
    assert left_out(runs, ("measure",), [NEW])[0].reason == "waits for train, which is not done"


def test_what_a_process_outside_slurm_does_is_not_submitted_and_not_waited_for():
    runs, states = runs_with(1), [standing(train="running")]
    assert plan(runs, states) == []
    reasons = [one.reason for one in left_out(runs, STAGES, states)]
    assert reasons[0] == "waits for train, which runs outside Slurm"


@pytest.mark.parametrize("state", ["stopped", "lost", "timed-out", "cancelled", "new", "blocked"])
def test_what_was_cut_short_is_submitted_again(state):
    states = [standing(train=f"{state} 5_0", measure=f"{state} 6_0")]
    assert [array.stage for array in plan(runs_with(1), states)] == list(STAGES)


def test_arrays_are_split_at_the_largest_index_that_the_cluster_takes():
    arrays = plan(runs_with(7), limits=ClusterLimits(3, known=True))
    assert shape(arrays)[3:6] == [
        ("train", {0: ["run_3"], 1: ["run_4"], 2: ["run_5"]}, []),
        ("measure", {0: ["run_3"], 1: ["run_4"], 2: ["run_5"]}, [("aftercorr", 3)]),
        ("plot", {0: ["run_3"], 1: ["run_4"], 2: ["run_5"]}, [("afterany", 4)]),
    ]
    assert [len(array.tasks) for array in arrays if array.stage == "train"] == [3, 3, 1]


def test_packed_runs_share_jobs_and_the_split_counts_jobs():
    arrays = plan(runs_with(7, **{"runs-per-job": 2}), limits=ClusterLimits(3, known=True), stages=("train",))
    assert shape(arrays) == [
        ("train", {0: ["run_0", "run_1"], 1: ["run_2", "run_3"], 2: ["run_4", "run_5"]}, []),
        ("train", {0: ["run_6"]}, []),
    ]
    assert [array.width for array in arrays] == [2, 1]


def test_runs_that_ask_for_different_things_get_different_arrays():
    small, large = runs_with(2, "small", mem="4GB"), runs_with(2, "large", mem="64GB")
    mixed = [small[0], large[0], small[1], large[1]]
    names = [(array.stage, [run.name for run in array.runs]) for array in plan(mixed, stages=("train",))]
    assert names == [("train", ["small_0", "small_1"]), ("train", ["large_0", "large_1"])]


def test_what_only_one_stage_asks_for_splits_the_others_too_so_that_indices_correspond():
    runs = [*runs_with(1, "a", measure={"mem": "4GB"}), *runs_with(1, "b", measure={"mem": "8GB"})]
    assert [array.stage for array in plan(runs)] == [*STAGES, *STAGES]


def test_a_limit_on_jobs_at_once_is_shared_over_the_parts():
    slurm = {"array-parallelism": 5}
    arrays = plan(runs_with(7, **slurm), limits=ClusterLimits(5, known=True))
    assert [(array.stage, array.parallelism) for array in arrays] == [
        *(("train", 3), ("measure", 3), ("plot", 3)),
        *(("train", 2), ("measure", 2), ("plot", 2)),
    ]


def test_more_parts_than_jobs_at_once_follow_each_other():
    arrays = plan(
        runs_with(5, **{"array-parallelism": 2}), limits=ClusterLimits(1, known=True), stages=("train",)
    )
    assert [array.parallelism for array in arrays] == [1] * 5
    assert [array.after for array in arrays] == [
        *((), ()),
        *((After("afterany", array=place),) for place in (0, 1, 2)),
    ]


def test_a_part_that_waits_for_another_still_waits_for_its_own_training():
    arrays = plan(
        runs_with(2, **{"array-parallelism": 1}),
        limits=ClusterLimits(1, known=True),
        stages=("train", "measure"),
    )
    assert shape(arrays)[3] == ("measure", {0: ["run_1"]}, [("aftercorr", 2), ("afterany", 1)])


@pytest.mark.parametrize(
    ("limit", "sizes"), [(10, [1001, 3]), (7, [1, 1, 1]), (4, [9, 9, 9, 9]), (100, [60, 50]), (1, [5])]
)
def test_shares_of_a_limit_are_whole_and_none_is_wasted(limit, sizes):
    parts = shares(limit, sizes)
    assert all(1 <= part <= size for part, size in zip(parts, sizes, strict=True))
    assert sum(parts) == min(limit, sum(sizes))


def test_shares_are_in_proportion():
    assert shares(10, [1001, 3]) == [9, 1]


@pytest.mark.parametrize("train", STATES)
def test_whatever_the_states_each_stage_is_settled_planned_or_explained(train):
    runs = runs_with(1)
    for measure, plot in itertools.product(STATES, repeat=2):
        states = (train, measure, plot)
        stands = [standing(train=f"{train} 5_3", measure=f"{measure} 6_3", plot=f"{plot} 7_3")]
        arrays = plan(runs, stands)
        explained = [one.stage for one in left_out(runs, STAGES, stands)]
        settled = [
            stage
            for stage, state in zip(STAGES, states, strict=True)
            if state in ("done", "queued", "running")
        ]
        planned = [array.stage for array in arrays]
        assert {*planned, *explained, *settled} == set(STAGES), states
        assert len({*planned, *explained}) == len([*planned, *explained]), states
        assert not {*planned, *explained} & {"train"} & {*settled}, states
        assert all(
            after.job or after.array < place for place, array in enumerate(arrays) for after in array.after
        ), states
