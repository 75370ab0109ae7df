"""Plain values → YAML text that :mod:`yaml_reader` reads back as the same values."""

from __future__ import annotations

from typing import Any

import yaml

from layerscope.config.grammar import WORDS


class _Dumper(yaml.SafeDumper):
    """Quotes text that either our grammar or YAML 1.1 would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat equal lists instead of writing ``*id001``."""
        return True


def _list(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    plain = not any(isinstance(item, (dict, list)) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=plain)


_Dumper.add_representer(list, _list)
for _tag, _pattern, _first in WORDS:
    _Dumper.add_implicit_resolver(_tag, _pattern, _first)


def dump_yaml(tree: Any) -> str:
    """YAML of a tree of plain values: keys in the order given, a list of plain values on one line."""
    text = yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return str(text)
