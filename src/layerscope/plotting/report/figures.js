// Layer profiles, and the course of training. Each function gives what plotly draws, and a caption.

const DASHES = { train: "solid", test: "dash", validation: "dashdot" };

// The last of a run's epochs that is not after `epoch`; -1 when the run was first measured later.
function epochPlace(epochs, epoch) {
  return epochs.findLastIndex((one) => one <= epoch);
}

function profileFigure(page) {
  const { values, log } = page;
  const series = page.seriesShown();
  const traces = [];
  page.sets.forEach((set, place) => {
    const measured = measuredBy(page, set);
    for (const one of series) {
      const dash = series.length > 1 ? DASHES[values.measure.series[one].split] ?? "dot" : "solid";
      if (page.sets.length === 1 && set.length === 1) traces.push(...otherEpochs(page, set[0], one, dash));
      const lists = measured.map(([run, last]) => profilePoints(page, run, one, last));
      if (lists.length) traces.push(...tracesOfSet(lists, { ...lookOf(place), dash, width: 2.5, log }));
    }
  });
  const beside = boundsOf(page, series);
  const first = values.measure.series[series[0]];
  const layout = layoutOf({
    traces: [...traces, ...beside.traces], log,
    x: { title: { text: "layer" }, ...layerTicks(page, series) },
    y: { title: { text: escaped(axisTitle(values.measure, first, page.seriesLabel)) } },
    ...ncMarks(page),
  });
  if (first.ceiling !== null) addLevel(layout, { height: first.ceiling, text: "ceiling", dash: "dashdot", log });
  if (beside.level !== null) addLevel(layout, { height: beside.level, text: beside.name, dash: "dot", below: true, log });
  const shown = [...traces, ...beside.traces];
  return { traces: shown, layout, caption: profileCaption(page, shown, series, beside) };
}

// The runs of a set that are measured by the epoch above, each with the place of its epoch: the last that any has.
function measuredBy(page, set) {
  const places = set.map((run) => [run, epochPlace(page.facts.runs[run].epochs, page.epoch)]);
  const newest = Math.max(...places.map(([run, last]) => page.facts.runs[run].epochs[last] ?? -1));
  return places.filter(([run, last]) => last >= 0 && page.facts.runs[run].epochs[last] === newest);
}

// What the values are to be compared with: a level where it is the same everywhere, else a dotted line of each set.
function boundsOf(page, series) {
  const lines = page.sets.flatMap((set, place) => measuredBy(page, set).slice(0, 1).flatMap(([run, last]) =>
    series.flatMap((one) => boundLine(page, run, one, last, place))));
  const name = lines[0]?.name ?? "";
  const heights = new Set(lines.flatMap((line) => line.points).map((point) => formatted(point.value, 3)));
  if (heights.size <= 1) return { name, level: lines[0]?.points[0].value ?? null, traces: [] };
  const traces = lines.map(({ points, place }) => ({
    type: "scatter", mode: "lines", showlegend: false, hoverinfo: "text", x: points.map((point) => point.index),
    y: points.map((point) => point.value), text: points.map((point) => `${escaped(name)}<br><b>${formatted(point.value, 4)}</b>`),
    line: { color: lookOf(place).colour, width: 1.2, dash: "dot" },
  }));
  return { name, level: null, traces };
}

function boundLine(page, run, series, last, place) {
  const { compared } = page.values.measure.series[series];
  if (!compared) return [];
  const points = page.beside.get(compared.measure).profile(compared.series, run, last)
    .filter((point) => borderOf(point.value, page.log) === null);
  return points.length ? [{ name: compared.name, points, place }] : [];
}

function profilePoints(page, run, series, place) {
  const { name, epochs } = page.facts.runs[run];
  const { split, digits } = page.values.measure.series[series];
  return page.values.profile(series, run, place).map((point) => ({
    ...point,
    x: point.index,
    about: `epoch ${epochs[place]}, ${escaped(split)}<br>${escaped(point.name)} (layer ${point.index})`,
    text: `${escaped(name)}<br>epoch ${epochs[place]}, ${escaped(split)}<br>${escaped(point.name)} (layer ${point.index})` +
      `<br><b>${formatted(point.value, digits)}</b>${point.status === "degenerate" ? " (degenerate)" : ""}`,
  }));
}

// A run that is alone shows its other epochs too, early ones pale.
function otherEpochs(page, run, series, dash) {
  const { epochs } = page.facts.runs[run];
  const current = epochPlace(epochs, page.epoch);
  return epochs.flatMap((_, place) => {
    if (place === current) return [];
    const shade = VIRIDIS[Math.round((1 - place / Math.max(epochs.length - 1, 1)) * (VIRIDIS.length - 2))];
    return tracesOf(profilePoints(page, run, series, place),
      { colour: shade, dash, width: 1, size: 4, opacity: 0.45, log: page.log });
  });
}

function layerTicks(page, series) {
  const names = new Map();
  for (const run of page.chosen) {
    page.facts.runs[run].epochs.forEach((_, place) => {
      for (const one of series) {
        for (const { index, name } of page.values.profile(one, run, place)) {
          names.set(index, names.has(index) && names.get(index) !== name ? String(index) : name);
        }
      }
    });
  }
  const indices = [...names.keys()].sort((one, other) => one - other);
  const shown = spread(indices, window.innerWidth < 640 ? 8 : 15);
  const range = indices.length ? [indices[0] - 0.4, indices[indices.length - 1] + 0.4] : [0, 1];
  return { tickvals: shown, ticktext: shown.map((index) => escaped(shortened(names.get(index)))), range };
}

// At most `most` of a sorted list, evenly by rank, the first and the last among them.
function spread(values, most) {
  if (values.length <= most) return values;
  const last = values.length - 1;
  return Array.from({ length: most }, (_, place) => values[Math.round((place * last) / (most - 1))]);
}

function shortened(name, longest = 16) {
  return name.length <= longest ? name : `…${name.slice(1 - longest)}`;
}

function axisTitle(measure, series, label) {
  const unit = unitOf(series);
  return `${measure.name}${label === "value" ? "" : `: ${label}`}${unit ? ` (${unit})` : ""}`;
}

function ncMarks(page) {
  const runs = new Map();
  for (const run of page.chosen) {
    const { epochs, collapsed } = page.facts.runs[run];
    const index = collapsed[epochPlace(epochs, page.epoch)];
    if (index !== null && index !== undefined) runs.set(index, (runs.get(index) ?? 0) + 1);
  }
  const line = { color: NC_COLOUR, width: 1.5, dash: "dash" };
  const count = (number) => (page.chosen.length > 1 ? ` (${number} of ${page.chosen.length})` : "");
  return {
    shapes: [...runs.keys()].map((x) => ({ type: "line", x0: x, x1: x, yref: "paper", y0: 0, y1: 1, line })),
    annotations: [...runs].map(([x, number]) => ({
      x, yref: "paper", y: 1, yanchor: "bottom", showarrow: false, font: { color: NC_COLOUR, size: 11 },
      text: `NC layer${count(number)}`,
    })),
  };
}

// A level across the panel with its name at the right end, above the line or `below` it.
function addLevel(layout, { height, text, dash, log, below = false }) {
  layout.shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: height, y1: height,
    line: { color: "#777", width: 1.2, dash } });
  layout.annotations.push({ xref: "paper", x: 1, y: log ? Math.log10(height) : height, xanchor: "right",
    yanchor: below ? "top" : "bottom", showarrow: false, font: { color: "#777", size: 11 }, text });
}

function profileCaption(page, traces, series, beside) {
  const without = page.chosen.filter((run) => epochPlace(page.facts.runs[run].epochs, page.epoch) < 0);
  const parts = [];
  if (page.sets.length === 1 && page.sets[0].length === 1) parts.push("Thin lines: the other epochs, early ones pale.");
  if (series.length > 1) parts.push("Solid: train; dashed: test.");
  if (beside.traces.length) parts.push(`Dotted: ${beside.name}.`);
  parts.push(repetitionCaption(page, page.log), ncCaption(page), notesOf(traces));
  const when = page.epoch === undefined ? "yet" : `by epoch ${page.epoch}`;
  if (without.length) parts.push(`Not measured ${when}: ${without.map((run) => page.facts.runs[run].name).join(", ")}.`);
  return parts.filter(Boolean).join(" ");
}

function ncCaption(page) {
  const known = page.chosen.some((run) => page.facts.runs[run].ncLayer !== null);
  return known ? `NC layer: the first with mean CDNV below ${page.facts.threshold} on the training data.` : "";
}

function courseFigure(page) {
  const kind = page.control("course-of").value;
  const log = kind === "loss";
  const traces = page.sets.flatMap((set, place) => ["train", "test", "validation"].flatMap((split) => {
    const lists = set.map((run) => coursePoints(page, run, split, kind)).filter((points) => points.length);
    const size = lists.some((points) => points.length > 40) ? 3 : 5;
    return tracesOfSet(lists, { ...lookOf(place), dash: DASHES[split], size, log });
  }));
  const layout = layoutOf({
    traces, log,
    x: { title: { text: "epoch" }, rangemode: "tozero" },
    y: { title: { text: kind } },
    shapes: page.epoch === undefined ? [] : [{ type: "line", x0: page.epoch, x1: page.epoch, yref: "paper", y0: 0, y1: 1,
      line: { color: "#999", width: 1, dash: "dot" } }],
  });
  const validated = page.chosen.some((run) => page.details.courses[run]?.[`validation_${kind}`]);
  const dashes = `Solid: train; dashed: test;${validated ? " dash-dotted: validation;" : ""} dotted: the epoch above.`;
  return { traces, layout, caption: [dashes, repetitionCaption(page, log), notesOf(traces)].filter(Boolean).join(" ") };
}

function coursePoints(page, run, split, kind) {
  const course = page.details.courses[run];
  const column = course?.[`${split}_${kind}`] ?? [];
  const points = column.map((cell, place) => {
    const value = cell === null ? NaN : Number(cell);
    const epoch = course.epoch[place];
    return { x: epoch, value, about: `epoch ${epoch}, ${split}`, text: `${escaped(page.facts.runs[run].name)}<br>epoch ${epoch}, ${split}<br><b>${formatted(value, 6)}</b>` };
  });
  // Nothing is trained in epoch 0: it has no training columns, and that is no defect.
  return points.filter((point) => !(split === "train" && point.x === 0 && Number.isNaN(point.value)));
}
