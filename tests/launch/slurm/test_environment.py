"""What a job hands on to jobs that are submitted from inside of it: nothing of its own."""

from __future__ import annotations

import os

import pytest

from layerscope.launch.slurm.environment import clean_environment, inside_job

OUTER = {
    "SLURM_JOB_ID": "7",
    "SLURM_CPU_BIND": "quiet,mask_cpu:0x1",
    "SLURMD_NODENAME": "n1",
    "SRUN_DEBUG": "3",
    "PMI_RANK": "0",
    "PMIX_RANK": "0",
    "OMPI_COMM_WORLD_SIZE": "1",
    "SUBMITIT_EXECUTOR": "slurm",
    "RANK": "0",
    "WORLD_SIZE": "2",
    "MASTER_ADDR": "n1",
    "TORCHELASTIC_RUN_ID": "x",
    "LAYERSCOPE_JOB": "7_1",
    "CUDA_VISIBLE_DEVICES": "3",
}
KEPT = {
    "SLURM_CONF": "/etc/slurm.conf",
    "SBATCH_ACCOUNT": "ours",
    "SLURM_CLUSTERS": "big",
    "LAYERSCOPE_DATA": "/d",
}


@pytest.fixture
def outer_job(monkeypatch):
    for name, value in {**OUTER, **KEPT}.items():
        monkeypatch.setenv(name, value)


def test_nothing_of_an_outer_job_is_left_within_the_block(outer_job):
    assert inside_job()
    with clean_environment():
        assert not inside_job()
        assert not OUTER.keys() & os.environ.keys()
        assert {name: os.environ[name] for name in KEPT} == KEPT


def test_all_of_it_is_back_after_the_block_even_after_an_error(outer_job):
    before = dict(os.environ)
    with pytest.raises(RuntimeError), clean_environment():
        os.environ["MADE_WITHIN"] = "1"
        raise RuntimeError
    assert os.environ.pop("MADE_WITHIN") == "1"
    assert dict(os.environ) == before


def test_outside_of_a_job_the_chosen_gpus_stay(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with clean_environment():
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
