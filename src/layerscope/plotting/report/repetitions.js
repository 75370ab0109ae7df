// Runs that differ in nothing but chance, as one: their mean, and a band of one standard deviation.

// The runs that share all axes of `run` but those of repetitions; itself among them.
function repetitionsOf(facts, run) {
  const key = settingOf(facts, run);
  return facts.runs.flatMap((_, other) => (settingOf(facts, other) === key ? [other] : []));
}

function settingOf(facts, run) {
  return JSON.stringify(facts.runs[run].axes.filter((_, place) => !facts.repetitions.includes(place)));
}

// What is drawn as one: the chosen runs one by one, or the repetitions of each setting among them.
function setsOf(facts, chosen, averaged) {
  if (!averaged) return chosen.map((run) => [run]);
  const settings = new Map(chosen.map((run) => [settingOf(facts, run), run]));
  return [...settings.values()].map((run) => repetitionsOf(facts, run));
}

// Points of each run of a set: the line itself of a single run, else the mean with its band.
function tracesOfSet(lists, look) {
  if (lists.length < 2) return tracesOf(lists[0] ?? [], look);
  const points = lists.flat();
  const isPlaced = (point) => borderOf(point.value, look.log) === null;
  const places = [...new Set(points.filter(isPlaced).map((point) => point.x))].sort((one, other) => one - other);
  const means = places.map((x) => meanOf(x, points.filter((point) => point.x === x && isPlaced(point)), look.log));
  return [bandOf(means, look), ...tracesOf([...means, ...points.filter((point) => !isPlaced(point))], look)];
}

// Mean and deviation (of the sample) of the values at x; of their logarithms on a logarithmic axis.
function meanOf(x, points, log) {
  const there = points.map((point) => (log ? Math.log(point.value) : point.value));
  const back = log ? Math.exp : (value) => value;
  const mean = there.reduce((sum, value) => sum + value, 0) / there.length;
  const squares = there.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = there.length > 1 ? Math.sqrt(squares / (there.length - 1)) : 0;
  const [low, high] = [back(mean - deviation), back(mean + deviation)];
  const value = back(mean);
  const text = `${points[0].about}<br><b>${formatted(value, 4)}</b> (${formatted(low, 3)} to ${formatted(high, 3)}), ` +
    `mean of ${there.length} ${there.length === 1 ? "run" : "runs"}`;
  return { x, value, low, high, text, run: undefined };
}

function bandOf(means, { colour }) {
  const back = [...means].reverse();
  return {
    type: "scatter", mode: "lines", showlegend: false, hoverinfo: "skip", fill: "toself", fillcolor: `${colour}30`,
    line: { width: 0 }, x: [...means, ...back].map((point) => point.x),
    y: [...means.map((point) => point.high), ...back.map((point) => point.low)],
  };
}

// What the means are of; "" where every run stands for itself.
function repetitionCaption(page, log) {
  const counts = page.sets.map((set) => set.length).filter((count) => count > 1);
  if (!counts.length) return "";
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  return `Mean ± one standard deviation over ${low === high ? low : `${low} to ${high}`} runs that differ only by seed` +
    `${log ? ", of the logarithms" : ""}.`;
}
