"""The page: one HTML file with everything in it, its scripts and numbers compressed."""

from __future__ import annotations

import base64
import gzip
import html
import json
import string
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from layerscope.plotting.report.contents import Contents

_SCRIPTS = (
    *("unpack.js", "values.js", "marks.js", "repetitions.js", "figures.js", "scatter.js", "runs_table.js"),
    "page.js",
)
"""In this order, in one script element."""


def page(contents: Contents) -> str:
    """The HTML of a report."""
    parts = {
        "plotly": _plotly(),
        "facts": _packed(_json(contents.facts)),
        "details": _packed(_json(contents.details)),
        **{f"measure-{name}": _packed(content) for name, content in contents.blocks.items()},
    }
    return string.Template(_asset("page.html")).substitute(
        title=html.escape(str(contents.facts["title"])),
        style=_asset("page.css"),
        script="\n".join(map(_asset, _SCRIPTS)),
        parts="\n".join(_element(name, text) for name, text in parts.items()),
    )


@cache
def _plotly() -> str:
    """The script of plotly as its package brings it, packed."""
    from plotly.offline import get_plotlyjs

    return _packed(str(get_plotlyjs()).encode())


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _json(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, allow_nan=False, separators=(",", ":")).encode()


def _packed(content: bytes) -> str:
    """Gzip in base64, the same bytes for the same content."""
    return base64.b64encode(gzip.compress(content, compresslevel=6, mtime=0)).decode("ascii")


def _element(name: str, text: str) -> str:
    return f'<script type="text/plain" id="packed-{html.escape(name)}">{text}</script>'
