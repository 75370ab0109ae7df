"""From what a user writes to the canonical id: data sets, models, measures; unknown ones get the nearest."""

from __future__ import annotations

import importlib.metadata
import keyword
import re
from collections.abc import Iterable, Sequence

from layerscope.config.names import (
    DATASETS,
    MEASURE_ALIASES,
    MEASURE_GROUPS,
    MEASURES,
    OWN_EXAMPLES,
    TORCHVISION_LISTED,
    TORCHVISION_MODELS,
    ZOO_MODELS,
)
from layerscope.config.nearest import nearest, suggestion
from layerscope.config.own_models import SIZES, own_family, parse_own_name

_TIMM_MODEL = re.compile(r"timm/[a-z0-9][a-z0-9_.\-]*")
_FUNCTION = re.compile(r"\w+(?:\.\w+)*:\w+")


def canonical_dataset(text: str) -> str:
    """The id of a data set; case, ``-`` and ``_`` are ignored.

    Raises
    ------
    ValueError
        No data set of that name.
    """
    for name in DATASETS:
        if _squeezed(name) == _squeezed(text):
            return name
    raise ValueError(f"{text!r} is not a known data set; {suggestion(text, DATASETS)}")


def canonical_model(text: str) -> str:
    """The id of a model in lower case; ``module:function`` keeps its case.

    Raises
    ------
    ValueError
        Neither one of our own families, nor a torchvision classifier, ``timm/<name>`` or ``module:function``.
    """
    if _is_function(text):
        return text
    name = text.lower()
    if own_family(name):
        parse_own_name(name)
        return name
    if _TIMM_MODEL.fullmatch(name) or name in ZOO_MODELS:
        return name
    if name.startswith("zoo/"):
        raise ValueError(f"{text!r} is not in the zoo; {suggestion(name, ZOO_MODELS)}")
    classifiers: tuple[str, ...] = TORCHVISION_MODELS
    base = name.removesuffix("_pretrained")
    if base not in classifiers:
        classifiers = _installed_classifiers()
    if base not in classifiers:
        raise ValueError(_unknown_model(text, base, classifiers))
    return name


def canonical_measures(text: str) -> tuple[str, ...]:
    """The groups and measures that ``text`` names, joined by ``_`` or ``+``: ``Fast_StableRank``.

    Raises
    ------
    ValueError
        One of the parts is neither a group nor a measure.
    """
    return tuple(dict.fromkeys(_canonical_measure(part, text) for part in re.split(r"[_+]", text)))


def selected_measures(names: Iterable[str]) -> tuple[str, ...]:
    """The measures behind canonical names of groups and measures, once each, in the registry's order."""
    wanted = {measure for name in names for measure in MEASURE_GROUPS.get(name, (name,))}
    return tuple(measure for measure in MEASURES if measure in wanted)


def _canonical_measure(part: str, text: str) -> str:
    known = {name.lower(): name for name in (*MEASURE_GROUPS, *MEASURES)} | MEASURE_ALIASES
    key = part.strip().lower()
    for name in (key, key.removesuffix("testset").removesuffix("measure")):
        if name in known:
            return known[name]
    whole = f" in {text!r}" if part != text else ""
    names = tuple(dict.fromkeys(known.values()))
    raise ValueError(f"{part!r}{whole} is not a known measure or group; {suggestion(part, names)}")


def _squeezed(name: str) -> str:
    return re.sub(r"[-_]", "", name).lower()


def _is_function(text: str) -> bool:
    parts = re.split(r"[.:]", text)
    identifiers = all(part.isidentifier() and not keyword.iskeyword(part) for part in parts)
    return bool(_FUNCTION.fullmatch(text)) and identifiers


def _installed_classifiers() -> tuple[str, ...]:
    """The classifiers of a torchvision newer than our list; importing it takes seconds, so only then."""
    try:
        version = re.findall(r"\d+", importlib.metadata.version("torchvision"))
    except importlib.metadata.PackageNotFoundError:
        return TORCHVISION_MODELS
    if tuple(map(int, version[:2])) <= TORCHVISION_LISTED:
        return TORCHVISION_MODELS
    import torchvision.models

    return tuple(torchvision.models.list_models(module=torchvision.models))


def _unknown_model(text: str, base: str, classifiers: Sequence[str]) -> str:
    close = nearest(base, (*OWN_EXAMPLES, *classifiers))
    hint = f"did you mean {close!r}? " if close else ""
    return (
        f"{text!r} is not a known model; {hint}"
        f"A name is {' or '.join(f'{family}_…' for family in SIZES)}, a torchvision classifier, "
        "timm/<name>, zoo/<name>, or module:function for your own"
    )
