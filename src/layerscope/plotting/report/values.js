// The numbers of one measure: every series holds a value for each run, epoch and layer, in this order.

class Values {
  constructor(measure, buffer, facts) {
    const size = facts.offsets[facts.offsets.length - 1];
    this.measure = measure;
    this.facts = facts;
    this.size = size;
    this.codes = new Int16Array(buffer, 0, size * measure.series.length);
    this.statuses = new Uint8Array(buffer, this.codes.byteLength);
  }

  // The layers of a run as [index, name].
  layers(run) {
    const place = this.facts.runs[run].layers;
    return place === null ? [] : this.facts.layerSets[place];
  }

  // One point for each layer of a run that has a value in a series at an epoch (by its place among the run's).
  profile(series, run, epochPlace) {
    const layers = this.layers(run);
    const begin = series * this.size + this.facts.offsets[run] + epochPlace * layers.length;
    return layers
      .map(([index, name], place) => ({ index, name, ...this.at(series, begin + place) }))
      .filter((point) => point.status !== "missing");
  }

  at(series, place) {
    const status = this.facts.statuses[this.statuses[place]];
    return { status, value: this.number(series, place, status) };
  }

  number(series, place, status) {
    const code = this.codes[place];
    if (status === "undefined" || status === "missing") return NaN;
    if (status === "infinite") return Math.sign(code) * Infinity;
    const { smallest, step } = this.measure.series[series];
    return code === 0 ? 0 : Math.sign(code) * smallest * Math.exp((Math.abs(code) - 1) * step);
  }

  // Whether an axis of these values is logarithmic unless the reader wants otherwise.
  isLogarithmic(series) {
    if (this.measure.log) return true;
    const codes = this.codes.subarray(series * this.size, (series + 1) * this.size);
    const { step } = this.measure.series[series];
    return codes.every((code) => code >= 0) && step * 32766 > Math.log(100) && !this.isShare(series);
  }

  isShare(series) {
    return /accuracy|recall/i.test(this.measure.name + JSON.stringify(this.measure.series[series].qualifiers));
  }
}

function formatted(value, digits = 4) {
  if (value === null || Number.isNaN(value)) return "undefined";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "minus infinite";
  return String(Number(value.toPrecision(digits)));
}

// What tells a series apart from those beside it; what all have in common is not said.
function seriesLabel(qualifiers, all) {
  const telling = Object.entries(qualifiers).filter(([name, value]) =>
    all.some((other) => other[name] !== value));
  return telling.map(([name, value]) => (name === "statistic" ? value : `${name} ${value}`)).join(", ") || "value";
}

const UNITS = { nat: "nats", bit: "bits", 1: "" };

function unitOf(series) {
  return UNITS[series.unit] ?? series.unit;
}
