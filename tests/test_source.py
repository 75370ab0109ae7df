"""The code behind results: which files belong to it, and a digest that changes with any of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from layerscope import source
from layerscope.source import PACKAGE, files_digest, package_files, source_digest, user_modules


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes modules into the working folder: name → text."""
    monkeypatch.chdir(tmp_path)

    def write(**files):
        for name, text in files.items():
            path = tmp_path / (name.replace("__dot__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return write


def names(model):
    return {module: list(files) for module, files in user_modules(model).items()}


def test_the_package_is_its_code_and_its_marker():
    files = package_files()
    assert {"layerscope/__init__.py", "layerscope/cli.py", "layerscope/py.typed"} <= set(files)
    assert files["layerscope/config/yaml_reader.py"] == PACKAGE / "config" / "yaml_reader.py"
    assert not [name for name in files if "__pycache__" in name]


def test_a_known_model_has_no_code_of_its_user(written):
    written(resnet18="x = 1\n")
    assert user_modules("resnet18") == {}
    assert user_modules("") == {}


def test_a_users_model_is_its_module_and_what_that_imports(written):
    written(
        my_net="import torch, json, my_blocks\nfrom my_parts.deep import block\n",
        my_blocks="def f():\n    import my_lazy\n",
        my_lazy="import my_net\n",
        my_parts__dot____init__="",
        my_parts__dot__deep="from . import shared\n",
        my_parts__dot__shared="",
        unrelated="",
    )
    assert names("my_net:build") == {
        "my_blocks": ["my_blocks.py"],
        "my_lazy": ["my_lazy.py"],
        "my_net": ["my_net.py"],
        "my_parts": ["my_parts/__init__.py", "my_parts/deep.py", "my_parts/shared.py"],
    }


def test_a_folder_without_init_is_a_package_too(written):
    written(nets__dot__wide="", nets__dot__deep__dot__er="")
    assert names("nets.wide:build") == {"nets": ["nets/deep/er.py", "nets/wide.py"]}


def test_what_cannot_be_read_is_left_to_whoever_imports_it(written):
    written(my_net="def (:\n")
    assert names("my_net:build") == {"my_net": ["my_net.py"]}
    assert names("no_such_module:build") == {}


def test_nothing_is_imported_to_find_out(written):
    written(my_net="raise SystemExit('imported')\n")
    assert names("my_net:build") == {"my_net": ["my_net.py"]}


def test_a_digest_changes_with_a_name_and_with_a_content(tmp_path):
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    one.write_text("x = 1\n", encoding="utf-8")
    other.write_text("x = 2\n", encoding="utf-8")
    digests = {files_digest(files) for files in ({"a.py": one}, {"a.py": other}, {"b.py": one}, {})}
    assert len(digests) == 4
    assert files_digest({"a.py": one, "b.py": other}) == files_digest({"b.py": other, "a.py": one})


def test_results_can_say_which_code_they_come_from(written):
    written(some_net="x = 1\n")
    found = source_digest("some_net:build")
    assert list(found) == ["layerscope", "some_net"]
    assert found["layerscope"] == source_digest("mlp")["layerscope"] == files_digest(package_files())


def test_the_code_of_a_snapshot_comes_before_the_working_folder(written, tmp_path, monkeypatch):
    written(my_net="edited = True\n", snapshot__dot__my_net="submitted = True\n")
    (tmp_path / "snapshot" / source.RECORD).write_text("{}", encoding="utf-8")
    monkeypatch.setattr(source, "PACKAGE", tmp_path / "snapshot" / "layerscope")
    assert user_modules("my_net:build")["my_net"]["my_net.py"] == tmp_path / "snapshot" / "my_net.py"


def test_it_needs_neither_torch_nor_pydantic():
    code = "import sys, layerscope.source; sys.exit(bool({'torch', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
