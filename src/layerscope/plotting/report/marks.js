// Colours, and marks for values that have no place on an axis.

// Okabe and Ito's colours, which stay apart for colour-blind readers.
const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31"];
const SYMBOLS = ["circle", "square"];
const MOST_CHOSEN = COLOURS.length * SYMBOLS.length;
const NC_COLOUR = "#009E73";
const VIRIDIS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];

const BORDERS = {
  infinite: { symbol: "triangle-up", height: 0.985, note: "▲ infinite" },
  undefined: { symbol: "x-thin-open", height: 0.02, note: "✕ undefined" },
  low: { symbol: "triangle-down", height: 0.02, note: "▼ zero or below" },
};

// Why a value has no place on an axis; null when it has one.
function borderOf(value, log) {
  if (value === null || Number.isNaN(value)) return "undefined";
  if (value === Infinity) return "infinite";
  if (value === -Infinity || (log && value <= 0)) return "low";
  return null;
}

function lookOf(place) {
  const turn = Math.floor(place / COLOURS.length) % SYMBOLS.length;
  return { colour: COLOURS[place % COLOURS.length], symbol: SYMBOLS[turn] };
}

// Text of users as plotly shall show it: it reads some HTML.
function escaped(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// A line (or points) through what has a place; the rest as marks at the border of the panel.
// `points`: x, value, text, and the run that a click on them means, if any.
function tracesOf(points, { colour, symbol = "circle", dash = "solid", width = 2, size = 6, opacity = 1,
  mode = "lines+markers", log = false }) {
  const placed = points.map((point) => borderOf(point.value, log) === null);
  const traces = [{
    type: "scatter", mode, opacity, showlegend: false, customdata: points.map((point) => point.run),
    x: points.map((point) => point.x),
    y: points.map((point, place) => (placed[place] ? point.value : null)),
    text: points.map((point) => point.text), hoverinfo: "text", connectgaps: false,
    line: { color: colour, dash, width },
    marker: {
      color: points.map((point) => (point.status === "degenerate" ? "#fff" : colour)),
      symbol, size, line: { color: colour, width: points.map((point) => (point.status === "degenerate" ? 1.5 : 0)) },
    },
  }];
  for (const [kind, border] of Object.entries(BORDERS)) {
    const there = points.filter((point) => borderOf(point.value, log) === kind);
    if (there.length) traces.push(borderTrace(there, border, colour, opacity));
  }
  return traces;
}

function borderTrace(points, border, colour, opacity) {
  return {
    type: "scatter", mode: "markers", yaxis: "y2", opacity, showlegend: false, cliponaxis: false,
    x: points.map((point) => point.x), y: points.map(() => border.height),
    text: points.map((point) => point.text), hoverinfo: "text", meta: border.note,
    customdata: points.map((point) => point.run),
    marker: { color: colour, symbol: border.symbol, size: 9, line: { color: colour, width: 1.6 } },
  };
}

// The legend of the marks in these traces.
function notesOf(traces) {
  const notes = new Set(traces.filter((trace) => trace.meta).map((trace) => trace.meta));
  if (traces.some((trace) => [trace.marker?.color].flat().includes("#fff"))) notes.add("○ degenerate");
  return [...notes].join("   ");
}

// The ticks of a logarithmic axis: powers of ten where there are several, else numbers in between.
function ticksOf(traces) {
  const values = traces.filter((trace) => trace.yaxis !== "y2").flatMap((trace) => trace.y).filter((value) => value > 0);
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), 0);
  const decades = Math.log10(high / low);
  if (!(decades < 2.5)) return decades < 8 ? { dtick: 1 } : {};
  if (decades < 0.05) return narrowTicks(low, high);
  const tickvals = decades > 1 ? oneTwoFive(low, high) : evenly(low, high);
  return { tickvals, ticktext: tickvals.map((value) => formatted(value, 3)) };
}

// Values that hardly differ: plotly would put them in the middle of two decades.
function narrowTicks(low, high) {
  const tickvals = evenly(low * 0.9, high * 1.1);
  const range = [Math.log10(low * 0.85), Math.log10(high * 1.15)];
  return { tickvals, ticktext: tickvals.map((value) => formatted(value, 3)), range };
}

function oneTwoFive(low, high) {
  const first = Math.floor(Math.log10(low));
  const all = [0, 1, 2, 3].flatMap((power) => [1, 2, 5].map((step) => Number(`${step}e${first + power}`)));
  return all.filter((value) => value >= low * 0.8 && value <= high * 1.25);
}

// Multiples of 1, 2 or 5 times a power of ten, five or so.
function evenly(low, high) {
  const rough = Math.max((high - low) / 5, low / 100);
  const power = Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((one) => one * 10 ** power >= rough) * 10 ** power;
  const first = Math.ceil((low * 0.95) / step);
  const count = Math.floor((high * 1.05) / step) - first + 1;
  return Array.from({ length: count }, (_, place) => Number(((first + place) * step).toPrecision(6)));
}

function layoutOf({ traces, x, y, log = false, shapes = [], annotations = [], showlegend = false }) {
  const axis = { automargin: true, zeroline: false, gridcolor: "#e8e8e8", linecolor: "#999", ticks: "outside" };
  return {
    margin: { l: 10, r: 14, t: 26, b: 10 },
    font: { family: "system-ui, Segoe UI, Roboto, DejaVu Sans, Arial, sans-serif", size: 12 },
    hovermode: "closest", hoverlabel: { align: "left" }, showlegend,
    legend: { orientation: "h", y: -0.2, yanchor: "top" },
    xaxis: { ...axis, ...x },
    yaxis: { ...axis, type: log ? "log" : "linear", exponentformat: "power", ...(log ? ticksOf(traces) : {}), ...y },
    yaxis2: { overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
    shapes, annotations,
  };
}

const CONFIG = { responsive: true, displaylogo: false, displayModeBar: false };
