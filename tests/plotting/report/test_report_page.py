"""The report in a browser: it opens by itself, its table and figures answer, and it fits a phone."""

from __future__ import annotations

import pytest

from layerscope.plotting.report.report import write_report

from .conftest import EPOCHS, HOSTILE, LAYERS, RATES, reported


@pytest.fixture
def opened(reader, report):
    """The report, freshly opened."""
    reader.complaints()
    reader.open(report)
    return reader


def shown(reader, column):
    script = "return [...document.querySelectorAll('#runs tbody tr')].filter((row) => !row.hidden)"
    return reader.ask(f"{script}.map((row) => row.children[arguments[0]].textContent)", column)


def test_it_opens_without_a_complaint_and_without_a_network(opened):
    assert opened.complaints() == []
    assert opened.ask("return performance.getEntriesByType('resource').map((one) => one.name)") == []
    assert opened.ask("return document.querySelectorAll('[src], link').length") == 0
    assert opened.ask("return document.getElementById('message').hidden")
    assert "6 runs: mlp_small trained on digits" in opened.ask("return document.body.innerText")


def test_text_of_users_is_text(opened):
    assert any(HOSTILE.split("</")[0] in name for name in opened.rows())
    assert "Question: does <i>it</i> work?" in opened.ask("return document.body.innerText")
    opened.ask("report.choose([5])")
    assert opened.ask("return document.querySelectorAll('main b, main script, header i').length") == 0
    assert "&lt;script&gt;" in opened.ask("return document.getElementById('profile').data.at(-1).text[0]")
    assert opened.complaints() == []


def test_the_slider_shows_another_epoch(opened):
    last = opened.heights()[-1]
    opened.set("epoch", "0", "input")
    assert opened.ask("return document.getElementById('epoch-shown').textContent") == str(EPOCHS[0])
    assert opened.heights()[-1] != last
    hover = opened.ask("return document.getElementById('profile').data.at(-1).text[1]")
    assert hover.startswith(f"lr_0.02/run_0<br>epoch {EPOCHS[0]}, train<br>{LAYERS[1]} (layer 1)<br><b>")


def test_the_values_are_those_of_the_tables(opened, experiment):
    from layerscope.results import TableStore

    table = TableStore(experiment[1][3].folder / "measurements").read("NCC")
    rows = table[(table["statistic"] == "accuracy") & (table["split"] == "test") & (table["epoch"] == 10)]
    opened.ask("report.choose([3])")
    opened.set("measure", "NCC")
    opened.wait("return report.values.measure.name === 'NCC'")
    opened.set("split", "test")
    assert opened.heights()[-1] == pytest.approx(rows.sort_values("layer_index")["value"].tolist(), rel=1e-3)


def test_values_that_are_no_numbers_are_marked(opened):
    notes = opened.ask("return document.getElementById('profile-caption').textContent")
    assert all(mark in notes for mark in ("▲ infinite", "✕ undefined", "○ degenerate"))
    traces = opened.ask(
        "return document.getElementById('profile').data.map((one) => [one.meta ?? '', one.x])"
    )
    assert ["▲ infinite", [0]] in traces
    assert ["✕ undefined", [1]] in traces


def test_several_runs_stand_side_by_side_and_the_nc_layer_is_marked(opened):
    opened.ask("report.choose([1, 3])")
    assert len(opened.heights()) == 2
    texts = opened.ask("return document.getElementById('profile').layout.annotations.map((one) => one.text)")
    assert texts
    assert all(text.startswith("NC layer (") for text in texts)
    chips = opened.ask("return [...document.querySelectorAll('#chosen li')].map((one) => one.innerText)")
    assert [chip.split()[0] for chip in chips] == ["lr_0.02/run_1", "lr_0.067/run_1"]


def test_repetitions_are_drawn_as_their_mean_and_a_band_when_that_is_wanted(opened):
    opened.set("measure", "NCC")
    opened.wait("return report.values.measure.name === 'NCC'")
    opened.ask("report.choose([2, 3])")
    single = opened.heights()
    assert len(single) == 2
    opened.ask("document.getElementById('averaged').click()")
    band, mean = opened.heights()
    assert mean == pytest.approx([(one + other) / 2 for one, other in zip(*single, strict=True)])
    assert len(band) == 2 * len(mean)
    caption = opened.ask("return document.getElementById('profile-caption').textContent")
    assert "Mean ± one standard deviation over 2 runs that differ only by seed." in caption
    chips = "return [...document.querySelectorAll('.swatch')].map((one) => one.style.background)"
    assert len(set(opened.ask(chips))) == 1
    assert opened.ask("return document.getElementById('course').data.filter((one) => one.fill).length") == 2
    assert opened.complaints() == []


def test_what_a_measure_is_compared_with_is_drawn(opened):
    opened.ask("report.choose([1, 3])")
    opened.set("measure", "ETF")
    opened.wait("return report.values.measure.name === 'ETF'")
    opened.set("statistic", "etf_error")
    texts = "return document.getElementById(arguments[0]).layout.annotations.map((one) => one.text)"
    assert "attainable in this dimension" in opened.ask(texts, "profile")
    assert "attainable in this dimension" in opened.ask(texts, "scatter")
    assert opened.complaints() == []


def test_every_column_sorts_both_ways_with_the_keyboard(opened):
    for column in range(opened.ask("return document.querySelectorAll('#runs th button').length")):
        button = f"#runs th:nth-child({column + 2}) button"
        opened.press(button)
        rising = shown(opened, column + 1)
        opened.press(button)
        falling = shown(opened, column + 1)
        assert [cell for cell in rising if cell] == [cell for cell in reversed(falling) if cell]
        heading = f"return document.querySelector('#runs th:nth-child({column + 2})').ariaSort"
        assert opened.ask(heading) == "descending"
    opened.press("#runs th:nth-child(3) button")
    assert shown(opened, 2) == sorted(shown(opened, 2), key=float)


def test_the_table_filters_by_text_and_by_the_value_of_an_axis(opened):
    opened.set("search", "run_1", "input")
    assert opened.rows() == ["lr_0.02/run_1", "lr_0.067/run_1"]
    opened.set("search", "", "input")
    select = "document.querySelectorAll('#filters select')[0]"
    opened.ask(f"{select}.value = '1'; {select}.dispatchEvent(new Event('change'))")
    assert shown(opened, 2) == [str(RATES[1])] * 2
    assert len(opened.heights("scatter")[0]) == 2


def test_a_phone_never_scrolls_sideways(reader, report):
    reader.open(report, width=360, height=800)
    assert reader.ask("return document.documentElement.scrollWidth") == 360
    reader.ask("report.choose([0, 1, 2, 3, 4, 5])")
    assert reader.ask("return document.documentElement.scrollWidth") == 360


def test_one_run_and_runs_without_results_have_a_report(reader, experiment, synthetic_run, tmp_path):
    synthetic_run(tmp_path).write(LAYERS[:1], [0])
    reader.open(write_report(tmp_path, [reported(tmp_path, ".", 0.1, 0)]))
    assert len(reader.rows()) == 1
    assert "1 of 1 run shown" in reader.ask("return document.getElementById('count').textContent")
    new = [reported(experiment[0], experiment[1][0].name, 0.02, 0, "new")]
    reader.open(write_report(tmp_path, [type(new[0])("a", tmp_path / "a", new[0].config, {}, "new")]))
    assert "Nothing is measured yet" in reader.ask("return document.getElementById('message').innerText")
    assert reader.complaints() == []
