"""Names of our own families: ``mlp``, ``convnet``, ``ae`` or ``aec``, then a size and flags in any order."""

from __future__ import annotations

from dataclasses import dataclass

from layerscope.config.nearest import nearest

AUTOENCODERS = {"": (32, 3), "small": (16, 2), "wide": (64, 3)}
"""Size → channels of the first block, which every further block doubles, and number of blocks."""

SIZES: dict[str, dict[str, tuple[int, int]]] = {
    "mlp": {
        "": (512, 5),
        "linear": (0, 0),
        "single": (512, 1),
        "small": (256, 4),
        "wide": (1024, 4),
        "xwide": (2048, 4),
        "large": (1024, 10),
        "xlarge": (1024, 20),
        "huge": (2048, 20),
    },
    "convnet": {
        "": (128, 10),
        "small": (64, 7),
        "wide": (256, 10),
        "deep": (128, 20),
        "xdeep": (128, 40),
        "deepwide": (256, 20),
        "huge": (512, 20),
    },
    "ae": AUTOENCODERS,
    "aec": AUTOENCODERS,
}
"""Family → size → (width, number of hidden blocks); the size "" is the one of the bare family name."""

FLAGS: dict[str, tuple[str, ...]] = {
    "mlp": ("nobn", "bias", "sharedweight"),
    "convnet": ("nobn", "bias"),
    "ae": ("nobn", "bias"),
    "aec": ("nobn", "bias"),
}
"""Family → the switches its names take."""


@dataclass(frozen=True)
class Architecture:
    """What the name of one of our own models says."""

    family: str
    width: int
    depth: int
    batch_norm: bool = True
    bias: bool = False
    shared_weight: bool = False


def own_family(name: str) -> str | None:
    """The family of ours that ``name`` belongs to, or None."""
    family = name.lower().split("_")[0]
    return family if family in SIZES else None


def parse_own_name(name: str) -> Architecture:
    """Read a name such as ``mlp_large_nobn_bias``.

    Raises
    ------
    ValueError
        Not one of our families, an unknown part, two sizes, or a flag given twice.
    """
    family = own_family(name)
    if family is None:
        raise ValueError(f"{name!r} is none of our families: {', '.join(SIZES)}.")
    parts = name.lower().split("_")[1:]
    _refuse_unknown(name, family, parts)
    _refuse_repeated(name, family, parts)
    width, depth = SIZES[family][next((part for part in parts if part in SIZES[family]), "")]
    if not depth and "sharedweight" in parts:
        raise ValueError(f"{name!r}: a linear model has no hidden layers that could share a weight.")
    return Architecture(
        family,
        width,
        depth,
        batch_norm="nobn" not in parts,
        bias="bias" in parts,
        shared_weight="sharedweight" in parts,
    )


def _sizes(family: str) -> list[str]:
    return [size for size in SIZES[family] if size]


def _refuse_unknown(name: str, family: str, parts: list[str]) -> None:
    known = [*_sizes(family), *FLAGS[family]]
    for part in parts:
        if part not in known:
            close = nearest(part, known)
            hint = f" Did you mean {close!r}?" if close else ""
            raise ValueError(f"{name!r}: {part!r} is unknown to {family}.{hint} {_grammar(family)}")


def _refuse_repeated(name: str, family: str, parts: list[str]) -> None:
    sizes = [part for part in parts if part in SIZES[family]]
    if len(sizes) > 1:
        raise ValueError(f"{name!r} names two sizes: {', '.join(sizes)}. {_grammar(family)}")
    for flag in FLAGS[family]:
        if parts.count(flag) > 1:
            raise ValueError(f"{name!r} gives {flag!r} twice. {_grammar(family)}")


def _grammar(family: str) -> str:
    return (
        f"At most one size ({', '.join(_sizes(family))}) and any flags ({', '.join(FLAGS[family])}) "
        f"may follow {family}, joined by '_'."
    )
