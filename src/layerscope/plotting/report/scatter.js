// A measure at one layer against accuracy, one point per run of the table as it is filtered.

const MOST_GROUPS = 8;
const MOST_LEVELS = 4;

function scatterFigure(page) {
  const { values, log } = page;
  const series = page.seriesShown()[0];
  const points = page.table.shown().flatMap((run) => scatterPoint(page, series, run));
  const groups = groupsOf(page, points);
  const traces = groups.flatMap(({ name, colour, members }) => namedTraces(name, members, colour, log));
  const ringed = points.filter((point) => page.chosen.includes(point.run));
  if (ringed.length) traces.push(rings(page, ringed, log));
  const layout = layoutOf({
    traces, log,
    x: { title: { text: `final ${page.control("accuracy-of").value} accuracy` }, ...accuracyRange(points) },
    y: { title: { text: escaped(axisTitle(values.measure, values.measure.series[series], page.seriesLabel)) } },
    showlegend: groups.length > 1,
  });
  addBounds(layout, page, series, points);
  const rho = spearman(points.filter((point) => Number.isFinite(point.value)));
  const caption = [
    "One point per run of the table as filtered, at its last measured epoch; a click chooses it.",
    rho === null ? "" : `Spearman's ρ = ${rho.toFixed(2)} over ${points.length} runs.`,
    notesOf(traces),
  ];
  return { traces, layout, caption: caption.filter(Boolean).join(" ") };
}

// What the values of the shown runs are to be compared with, as far as that is a few levels.
function addBounds(layout, page, series, points) {
  const { compared } = page.values.measure.series[series];
  if (!compared) return;
  const heights = points.flatMap(({ run }) => {
    const profile = page.beside.get(compared.measure).profile(compared.series, run, page.facts.runs[run].epochs.length - 1);
    const point = profile.length ? atLayer(profile, page.control("layer").value) : undefined;
    return point && borderOf(point.value, page.log) === null ? [Number(formatted(point.value, 3))] : [];
  });
  const levels = [...new Set(heights)].sort((one, other) => other - one);
  if (levels.length > MOST_LEVELS) return;
  levels.forEach((height, place) =>
    addLevel(layout, { height, text: place ? "" : compared.name, dash: "dot", log: page.log }));
}

// Points of one accuracy would get an axis from below 0 to above 1.
function accuracyRange(points) {
  const found = new Set(points.map((point) => point.x));
  const [only] = found;
  return found.size === 1 ? { range: [only - 0.02, only + 0.02] } : {};
}

function scatterPoint(page, series, run) {
  const facts = page.facts.runs[run];
  const accuracy = facts[page.control("accuracy-of").value];
  if (!facts.epochs.length || typeof accuracy !== "number") return [];
  const profile = page.values.profile(series, run, facts.epochs.length - 1);
  const point = atLayer(profile, page.control("layer").value);
  if (!point) return [];
  const { digits } = page.values.measure.series[series];
  const text = `${escaped(facts.name)}<br>accuracy ${formatted(accuracy, 5)}<br>${escaped(point.name)}<br><b>${formatted(point.value, digits)}</b>`;
  return [{ ...point, run, x: accuracy, text }];
}

function atLayer(profile, wanted) {
  if (wanted === "last") return profile[profile.length - 1];
  if (wanted === "first") return profile[0];
  if (wanted === "middle") return profile[Math.floor((profile.length - 1) / 2)];
  return profile.find((point) => point.name === wanted);
}

// The points by the value of an axis; one group when the axis has too many values to tell apart.
function groupsOf(page, points) {
  const axis = page.control("colour").value;
  const one = [{ name: "", colour: "#5b7c99", members: points }];
  if (axis === "") return one;
  const valueOf = (point) => page.facts.runs[point.run].axes[Number(axis)];
  const found = [...new Set(points.map(valueOf))].sort(compared);
  if (found.length > MOST_GROUPS && typeof found[0] !== "number") return one;
  const ordered = typeof found[0] === "number";
  return found.map((value, place) => ({
    name: String(value),
    colour: ordered ? shade(place / Math.max(found.length - 1, 1)) : COLOURS[place % COLOURS.length],
    members: points.filter((point) => valueOf(point) === value),
  }));
}

function shade(share) {
  return VIRIDIS[Math.round(share * (VIRIDIS.length - 2))];
}

function namedTraces(name, members, colour, log) {
  const look = { colour, mode: "markers", size: 8, opacity: 0.8, log };
  const traces = tracesOf(members, look);
  if (name) Object.assign(traces[0], { name: escaped(name), showlegend: true });
  return traces;
}

function rings(page, points, log) {
  const placed = points.filter((point) => borderOf(point.value, log) === null);
  const colours = placed.map((point) => page.look(point.run).colour);
  return {
    type: "scatter", mode: "markers", hoverinfo: "skip", showlegend: false,
    x: placed.map((point) => point.x), y: placed.map((point) => point.value),
    marker: { symbol: "circle-open", size: 14, color: colours, line: { width: 2.5 } },
  };
}

// Spearman's rank correlation, ties at their mean rank; null where there is nothing to rank.
function spearman(points) {
  if (points.length < 3) return null;
  const [one, other] = [ranks(points.map((point) => point.x)), ranks(points.map((point) => point.value))];
  const mean = (points.length + 1) / 2;
  const sum = (f) => one.reduce((total, _, place) => total + f(one[place] - mean, other[place] - mean), 0);
  const spread = Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
  return spread > 0 ? sum((x, y) => x * y) / spread : null;
}

function ranks(values) {
  const order = values.map((_, place) => place).sort((one, other) => values[one] - values[other]);
  const found = new Array(values.length);
  for (let begin = 0; begin < order.length;) {
    let end = begin;
    while (end < order.length && values[order[end]] === values[order[begin]]) end += 1;
    for (let place = begin; place < end; place += 1) found[order[place]] = (begin + end + 1) / 2;
    begin = end;
  }
  return found;
}
