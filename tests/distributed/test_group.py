from __future__ import annotations

import socket

import pytest

from layerscope.distributed.group import LostProcess, own_device, process_group
from layerscope.distributed.ranks import Ranks, world_size
from layerscope.errors import UsageError


@pytest.fixture
def environment(monkeypatch):
    """Set torchrun's variables: one of two processes, and a port of this machine."""

    def set_all(rank, port):
        names = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "MASTER_ADDR": "127.0.0.1"}
        for name, value in {**names, "MASTER_PORT": port}.items():
            monkeypatch.setenv(name, str(value))

    return set_all


def test_a_process_that_is_alone_keeps_the_device_it_asked_for(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with process_group("cuda:3") as device:
        assert device == "cuda:3"
        assert world_size() == 1


def test_a_first_process_that_cannot_be_found_is_reported_with_its_place(environment):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # taken, but nobody listens
        port = listener.getsockname()[1]
        environment(1, port)
        expected = rf"2 processes of this run could not meet at 127\.0\.0\.1:{port}"
        with pytest.raises(LostProcess, match=expected), process_group("cpu", timeout=1):
            pass
    assert world_size() == 1


def test_a_port_that_is_taken_is_reported(environment):
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        listener.listen()
        environment(0, listener.getsockname()[1])
        expected = r"could not meet at .*in use"
        with pytest.raises(LostProcess, match=expected), process_group("cpu", timeout=1):
            pass


@pytest.fixture
def gpus(monkeypatch):
    def make(count):
        monkeypatch.setattr("torch.cuda.is_available", lambda: count > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda: count)

    return make


@pytest.mark.parametrize(("local", "count", "device"), [(1, 2, "cuda:1"), (1, 1, "cuda:0"), (0, 4, "cuda:0")])
def test_every_process_has_its_own_gpu(gpus, local, count, device):
    gpus(count)
    assert str(own_device("auto", Ranks(local, 2, local))) == device
    assert str(own_device("cpu", Ranks(local, 2, local))) == "cpu"


def test_too_few_gpus_and_one_gpu_for_all_are_refused(gpus):
    gpus(2)
    with pytest.raises(UsageError, match="process 2 of this node has no GPU of its own: there are 2"):
        own_device("cuda", Ranks(2, 4, 2))
    with pytest.raises(UsageError, match="cuda:1 is one GPU, but 4 processes share the run"):
        own_device("cuda:1", Ranks(2, 4, 2))
