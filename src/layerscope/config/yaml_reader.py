"""YAML text → :class:`Document`: values, the line of each, and every repeated key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yaml.composer import Composer
from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from layerscope.config.document import Document, KeyPath, Mark, normalised_key
from layerscope.config.grammar import MERGE_TAG, VALUES, GrammarResolver
from layerscope.errors import ConfigError, Problem

_MOST_VALUES = 100_000
"""Values in a file; more is an alias that repeats an alias that repeats an alias…"""

_PLAIN_WORDS = {
    "found character '\\t' that cannot start any token": "a tab; YAML indents with spaces",
    "mapping values are not allowed here": "a ':' that cannot stand here; look at the indentation and quotes",
    "could not find expected ':'": "a key without its ':' (in this line or the one before)",
    "but found another document": "a second document begins here ('---'); a config is one document",
}


class _Loader(Reader, Scanner, Parser, Composer, GrammarResolver):
    """PyYAML as far as nodes: values are built by :class:`_TreeBuilder`, which knows lines and keys."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        GrammarResolver.__init__(self)


def read_document(path: Path | str) -> Document:
    """Read a config file.

    Raises
    ------
    ConfigError
        No such file, not UTF-8, not YAML, empty, or not a mapping. Mistakes that leave a tree (a key given
        twice) are kept in ``problems`` instead, to be reported together with those of validation.
    """
    source = str(path)
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        reason = (
            "no such file" if isinstance(error, FileNotFoundError) else f"cannot read it: {error.strerror}"
        )
        raise _config_error(source, 0, reason) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        wrong = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise _config_error(source, line, wrong) from error
    return document_from_text(text, source)


def document_from_text(text: str, source: str) -> Document:
    """The document that YAML ``text`` describes (see :func:`read_document`)."""
    node = _compose(text, source)
    if node is None or (isinstance(node, ScalarNode) and not node.value):
        raise _config_error(source, 0, "the file is empty; a config has the sections Model, Data, …")
    if not isinstance(node, MappingNode):
        kind = "a list" if isinstance(node, SequenceNode) else "a single value"
        raise _config_error(source, _line(node), f"the file holds {kind}, not sections like 'Model:'")
    builder = _TreeBuilder(source)
    data = builder.build(node, ())
    return Document(source, data, builder.marks, tuple(builder.problems))


def value_from_text(text: str, source: str, path: KeyPath = ()) -> Any:
    """The value that YAML ``text`` describes, as in ``--set Section.key=text``; it belongs at ``path``."""
    node = _compose(text, source)
    builder = _TreeBuilder(source)
    value = None if node is None else builder.build(node, path)
    if builder.problems:
        raise ConfigError([Problem(source, 0, problem.message) for problem in builder.problems])
    return value


class _TreeBuilder:
    """Builds values out of nodes; notes the line of each and what is wrong with them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.marks: dict[KeyPath, Mark] = {}
        self.problems: list[Problem] = []
        self._around: set[int] = set()
        self._count = 0

    def build(self, node: Node, path: KeyPath) -> Any:
        """The value of ``node``, which stands at ``path``."""
        self._count += 1
        if self._count > _MOST_VALUES:
            raise _config_error(
                self.source, _line(node), f"more than {_MOST_VALUES} values; aliases in aliases?"
            )
        if isinstance(node, ScalarNode):
            return self._scalar(node)
        if id(node) in self._around:
            return self._wrong(node, "an alias inside of what it stands for")
        self._around.add(id(node))
        try:
            return self._mapping(node, path) if isinstance(node, MappingNode) else self._sequence(node, path)
        finally:
            self._around.discard(id(node))

    def _scalar(self, node: ScalarNode) -> Any:
        if node.tag not in VALUES:
            return self._wrong(node, f"the tag {node.tag!r} has no meaning here; write a plain value")
        try:
            return VALUES[node.tag](node.value)
        except (ValueError, KeyError):
            return self._wrong(node, f"{node.value[:40]!r} cannot be read as {node.tag.rpartition(':')[2]}")

    def _sequence(self, node: Node, path: KeyPath) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            place = (*path, index)
            self.marks[place] = Mark(self.source, _line(item))
            items.append(self.build(item, place))
        return items

    def _mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        tree = self._inherited(node, path)
        first: dict[str, ScalarNode] = {}
        for key_node, value_node in node.value:
            if key_node.tag == MERGE_TAG:
                continue
            if not isinstance(key_node, ScalarNode):
                self._wrong(key_node, "a key that is itself a list or a mapping; keys are words")
                continue
            key = normalised_key(key_node.value, path)
            if key in first:
                self._wrong(key_node, _twice(key_node.value, first[key]))
                continue
            first[key] = key_node
            place = (*path, key)
            self.marks[place] = Mark(self.source, _line(key_node))
            tree[key] = self.build(value_node, place)
        return tree

    def _inherited(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        """What the merge key ``<<`` brings in; an earlier mapping wins over a later one."""
        tree: dict[str, Any] = {}
        merged = [value for key, value in node.value if key.tag == MERGE_TAG]
        givers = [
            giver
            for value in merged
            for giver in (value.value if isinstance(value, SequenceNode) else [value])
        ]
        for giver in reversed(givers):
            if isinstance(giver, MappingNode):
                tree.update(self.build(giver, path) or {})
            else:
                self._wrong(giver, "'<<' needs a mapping, as in '<<: *name'")
        return tree

    def _wrong(self, node: Node, message: str) -> None:
        self.problems.append(Problem(self.source, _line(node), message))


def _compose(text: str, source: str) -> Node | None:
    try:
        return _Loader(text).get_single_node()
    except ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _config_error(source, line, f"the control character {chr(error.character)!r}") from error
    except MarkedYAMLError as error:
        raise _syntax_error(error, source) from error
    except (YAMLError, RecursionError) as error:
        raise _config_error(source, 0, f"not readable as YAML ({type(error).__name__})") from error


def _syntax_error(error: MarkedYAMLError, source: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    what = error.problem or error.context or "unreadable"
    where = f" ({error.context})" if error.context and error.problem not in _PLAIN_WORDS else ""
    line = mark.line + 1 if mark else 0
    return _config_error(source, line, f"not valid YAML: {_PLAIN_WORDS.get(what, what)}{where}")


def _twice(key: str, first: ScalarNode) -> str:
    if key.replace("_", "-") == first.value.replace("_", "-"):
        return f"{key!r} is given twice; the first is in line {_line(first)}"
    return f"{key!r} means the same as {first.value!r} in line {_line(first)}; give one of them"


def _config_error(source: str, line: int, message: str) -> ConfigError:
    return ConfigError([Problem(source, line, message)])


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1
