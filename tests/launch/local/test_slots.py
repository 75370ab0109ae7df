"""Workers share the GPUs that may be used, and no others."""

from __future__ import annotations

import os

import pytest

from layerscope.errors import UsageError
from layerscope.launch.local.slots import MASK, Slots, cores, visible_gpus


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Makes this machine have so many GPUs, and a mask over them."""

    def furnish(gpus, mask=None):
        tool = tmp_path / "nvidia-smi"
        lines = "\n".join(f"GPU {number}: NVIDIA A100 (UUID: GPU-{number})" for number in range(gpus))
        tool.write_text(f"#!/bin/sh\n[ $1 = -L ] && cat <<E\n{lines}\nE\n")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        if mask is None:
            monkeypatch.delenv(MASK, raising=False)
        else:
            monkeypatch.setenv(MASK, mask)

    return furnish


def test_every_installed_gpu_is_used(machine):
    machine(3)
    assert visible_gpus("auto") == visible_gpus("cuda") == ["0", "1", "2"]
    assert visible_gpus("cuda:1") == ["1"]
    assert visible_gpus("cpu") == []


@pytest.mark.parametrize(
    ("mask", "gpus"),
    [
        ("2,5", ["2", "5"]),
        ("GPU-aa, GPU-bb", ["GPU-aa", "GPU-bb"]),
        ("", []),
        ("-1", []),
        ("0,-1,1", ["0"]),
    ],
)
def test_an_outer_mask_is_respected(machine, mask, gpus):
    machine(8, mask)
    assert visible_gpus("auto") == gpus


def test_numbers_count_within_the_mask(machine):
    machine(8, "2,5")
    assert visible_gpus("cuda:1") == ["5"]


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_an_error_at_once(machine, device):
    machine(0)
    with pytest.raises(UsageError, match=f"--device {device}: {os.uname().nodename} has 0 usable GPUs"):
        visible_gpus(device)


def test_a_machine_without_the_tool_has_no_gpu(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(MASK, raising=False)
    assert visible_gpus("auto") == []


def test_places_are_spread_over_the_gpus_and_given_back():
    slots = Slots(["0", "1"], 4)
    taken = [slots.take(1) for _ in range(4)]
    assert sorted(taken) == [("0",), ("0",), ("1",), ("1",)]
    assert taken[0] != taken[1]
    assert slots.full
    assert slots.take(1) is None
    slots.give_back(("1",))
    assert not slots.full
    assert slots.take(1) == ("1",)


def test_a_run_on_several_gpus_waits_for_different_ones():
    slots = Slots(["0", "1"], 2)
    assert slots.take(1) == ("0",)
    assert slots.take(2) is None
    slots.give_back(("0",))
    assert slots.take(2) == ("0", "1")


def test_without_gpus_there_are_just_places():
    slots = Slots([], 2)
    assert [slots.take(1), slots.take(4), slots.take(1)] == [("",), ("",), None]


def test_at_least_one_core_may_be_used():
    assert 1 <= cores() <= (os.cpu_count() or 1)
