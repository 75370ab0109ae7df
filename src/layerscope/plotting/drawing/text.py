"""Text as it is meant, whoever sets it: matplotlib itself or LaTeX."""

from __future__ import annotations

import math

from layerscope.plotting.drawing.options import chosen

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FOR_TEX = {
    **{character: f"\\{character}" for character in "{}$&#_%"},
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "·": r"$\cdot$",
    "…": r"\dots{}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "▲": r"$\blacktriangle$",
    "±": r"$\pm$",
    "▼": r"$\blacktriangledown$",
    "◆": r"$\blacklozenge$",
    "→": r"$\rightarrow$",
    "\N{EN DASH}": "--",
    "²": "$^2$",
    "○": r"$\circ$",
    "\N{NO-BREAK SPACE}": "~",
}


def literal(text: str) -> str:
    """``text`` so that every character of it is shown, none taken for mathematics or a command."""
    if not chosen().usetex:
        return text.replace("$", r"\$")
    return "".join(FOR_TEX.get(character, character) for character in text)


def decade(value: float) -> str:
    """``10⁻²``, in plain characters: typesetting formulas takes a tenth of all drawing."""
    if value <= 0:
        return ""
    exponent = round(math.log10(value))
    return f"$10^{{{exponent}}}$" if chosen().usetex else "10" + str(exponent).translate(RAISED)


def short_number(value: float) -> str:
    """At most four figures, without an exponent for what can be read without one."""
    text = f"{value:.4g}"
    return f"${text}$" if chosen().usetex else text.replace("-", "\N{MINUS SIGN}", 1)
