"""Text is shown as it is, by matplotlib and by LaTeX."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from layerscope.plotting.drawing import options
from layerscope.plotting.drawing.text import decade, literal, short_number


def test_matplotlib_takes_no_name_for_mathematics():
    assert literal("a_b$x$ 50%") == r"a_b\$x\$ 50%"
    assert decade(0.01) == "10⁻²"
    assert decade(0) == ""
    assert [short_number(value) for value in (-0.25, 1234.0, 0.12345)] == [
        "\N{MINUS SIGN}0.25",
        "1234",
        "0.1235",
    ]


def test_latex_takes_no_name_for_a_command(tex):
    assert literal(r"a_b 50% #1 x^2 \n · ▲") == (
        r"a\_b 50\% \#1 x\textasciicircum{}2 \textbackslash{}n $\cdot$ $\blacktriangle$"
    )
    assert decade(1000.0) == "$10^{3}$"
    assert short_number(-0.5) == "$-0.5$"


def test_options_end_with_their_block(tex):
    with options.figure_options(columns=1):
        assert options.chosen() == options.Options(1, False)
    assert options.chosen().usetex


@pytest.mark.parametrize("text", ["50%", "a & b", "x^2", "no $ formula", "1 · 2", r"\n", "$a · b$", "<1"])
def test_what_latex_would_take_for_a_command_is_found(text, breaks_tex):
    figure = Figure()
    figure.text(0, 0, text, parse_math=False)
    assert breaks_tex(figure) == [text]
    figure.texts[0].set_text(r"a_b \% $x^2$ \textbackslash{}n")
    assert breaks_tex(figure) == []
