"""What a run says it was made with."""

from __future__ import annotations

from layerscope import provenance


def test_the_processor_is_named_as_linux_names_it(tmp_path, monkeypatch):
    facts = tmp_path / "cpuinfo"
    facts.write_text("processor\t: 0\nmodel name\t: A Processor: 3.2 GHz\nflags\t: fpu\n", encoding="utf-8")
    monkeypatch.setattr(provenance, "_CPU_FACTS", facts)
    assert provenance.cpu_name.__wrapped__() == "A Processor: 3.2 GHz"


def test_elsewhere_it_is_what_python_knows(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "_CPU_FACTS", tmp_path / "not there")
    monkeypatch.setattr(provenance.platform, "processor", lambda: "arm")
    assert provenance.cpu_name.__wrapped__() == "arm"
