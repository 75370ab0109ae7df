"""What is recorded of a GPU."""

from __future__ import annotations

import torch

from layerscope.devices import gpu_facts


def test_a_cpu_has_no_driver_to_record():
    assert gpu_facts(torch.device("cpu")) == {}


def test_a_gpu_is_recorded_with_its_driver(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 550.54.14\necho 550.54.14\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA A100")
    facts = gpu_facts(torch.device("cuda"))
    assert (facts["name"], facts["driver"]) == ("NVIDIA A100", "550.54.14")
    assert set(facts) == {"name", "driver", "cuda", "cudnn"}
    program.unlink()
    assert gpu_facts(torch.device("cuda"))["driver"] == ""
