// Puts the page together: what is chosen, what the controls say, and what is drawn anew when they change.

const FIRST_MEASURES = ["CDNV", "NC1", "NCC"];
const BOTH = "train and test";

class Page {
  constructor(facts, details) {
    this.facts = facts;
    this.details = details;
    this.chosen = [];
    this.sets = []; // the chosen runs, each set drawn as one
    this.beside = new Map(); // what the values are to be compared with, by measure
    this.values = null;
  }

  control(id) {
    return document.getElementById(id);
  }

  async begin() {
    this.introduce();
    this.control("averaged").closest("label").hidden = !this.facts.runs.some((_, run) => repetitionsOf(this.facts, run).length > 1);
    this.table = new RunsTable(this.facts, () => this.filtered(), (run) => this.toggle(run));
    this.listen();
    if (this.facts.measures.length) {
      const names = this.facts.measures.map((measure) => measure.name);
      const first = FIRST_MEASURES.find((name) => names.includes(name)) ?? names[0];
      fill(this.control("measure"), names.map((name) => [name, name]), first);
      fill(this.control("colour"), [["", "nothing"], ...this.facts.axes.map((axis, place) => [String(place), axis])], "");
      await this.takeMeasure();
    } else {
      this.nothingMeasured();
    }
    const best = this.facts.runs.findIndex((run) => run.epochs.length || run.done !== null);
    this.choose([Math.max(best, 0)]);
    await painted();
    this.table.attach();
  }

  introduce() {
    const { facts } = this;
    this.control("introduction").append(...facts.introduction.map((line) => element("p", { textContent: line })));
    this.control("summary").textContent = facts.summary;
    this.control("provenance").textContent = [...facts.provenance, `report made ${facts.made}`].join(" · ");
    list("problems", facts.problems);
    list("notes", [
      ...facts.notes,
      "Numbers are shown with as many digits as they are stored with here; the tables of the runs hold all digits.",
      "Links to tables and figures work where this file lies among the runs; everything else is in this file.",
    ]);
    document.querySelector("main").hidden = false;
  }

  nothingMeasured() {
    const message = this.control("message");
    message.textContent = "Nothing is measured yet: no run has a table. Run the experiment without --report to train and " +
      "measure it, then make the report again.";
    message.hidden = false;
    for (const id of ["profile", "scatter"]) this.control(id).closest("figure").hidden = true;
    document.querySelector("#results > .controls").hidden = true;
    this.control("results-title").textContent = "Training";
  }

  listen() {
    const on = (id, event, work) => this.control(id).addEventListener(event, work);
    on("measure", "change", () => this.takeMeasure());
    on("statistic", "change", () => this.takeStatistic());
    on("split", "change", () => this.draw());
    on("log", "change", () => { this.log = this.control("log").checked; this.draw(); });
    on("epoch", "input", () => this.takeEpoch());
    on("course-of", "change", () => this.draw());
    for (const id of ["accuracy-of", "layer", "colour"]) on(id, "change", () => this.draw());
    on("detailed", "change", () => this.detail());
    on("choose-shown", "click", () => this.choose(this.table.shown()));
    on("averaged", "change", () => this.choose(this.chosen));
    on("choose-none", "click", () => this.choose([]));
  }

  toggle(run) {
    this.choose(this.chosen.includes(run) ? this.chosen.filter((one) => one !== run) : [...this.chosen, run]);
  }

  choose(runs) {
    this.chosen = runs.slice(0, MOST_CHOSEN);
    this.sets = setsOf(this.facts, this.chosen, this.control("averaged").checked);
    this.table.mark(this.chosen);
    this.control("chosen").replaceChildren(...this.chosen.map((run) => this.chip(run)));
    fill(this.control("detailed"), this.chosen.map((run) => [String(run), this.facts.runs[run].name]));
    this.detail();
    this.setEpochs();
    this.count(runs.length);
    this.draw();
  }

  look(run) {
    return lookOf(this.sets.findIndex((set) => set.includes(run)));
  }

  chip(run) {
    const { name } = this.facts.runs[run];
    const { colour, symbol } = this.look(run);
    const chip = element("li", {});
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = colour;
    if (symbol === "square") swatch.style.borderRadius = "0";
    const remove = element("button", { type: "button", textContent: "×", ariaLabel: `remove ${name}` });
    remove.addEventListener("click", () => this.toggle(run));
    chip.append(swatch, element("span", { textContent: name }), remove);
    return chip;
  }

  filtered() {
    if (!this.table) return; // while it is being built
    this.count(this.chosen.length);
    this.draw();
  }

  count(wanted) {
    const runs = this.facts.runs.length;
    const most = wanted > MOST_CHOSEN ? ` (at most ${MOST_CHOSEN} can be compared)` : "";
    this.control("count").textContent =
      `${this.table.shown().length} of ${runs} ${runs === 1 ? "run" : "runs"} shown, ${this.chosen.length} in the figures${most}`;
  }

  // The epochs of the chosen runs, for the slider; it stays where it was, or goes to the end.
  setEpochs() {
    const slider = this.control("epoch");
    const atEnd = !this.epochs?.length || Number(slider.value) === this.epochs.length - 1;
    this.epochs = [...new Set(this.chosen.flatMap((run) => this.facts.runs[run].epochs))].sort((one, other) => one - other);
    const place = this.epochs.findLastIndex((epoch) => epoch <= this.epoch);
    slider.max = String(Math.max(this.epochs.length - 1, 0));
    slider.value = atEnd ? slider.max : String(Math.max(place, 0));
    slider.disabled = this.epochs.length < 2;
    this.showEpoch();
  }

  takeEpoch() {
    this.showEpoch();
    this.draw(["profile", "course"]);
  }

  showEpoch() {
    this.epoch = this.epochs[Number(this.control("epoch").value)];
    this.control("epoch-shown").textContent = this.epoch ?? "";
    this.control("epoch").ariaValueText = `epoch ${this.epoch ?? "none"}`;
  }

  async takeMeasure() {
    const measure = this.facts.measures.find(({ name }) => name === this.control("measure").value);
    const buffer = await unpack(`measure-${measure.name}`);
    await this.takeBeside(measure);
    if (measure.name !== this.control("measure").value) return; // another one was chosen meanwhile
    this.values = new Values(measure, buffer, this.facts);
    const all = measure.series.map(({ qualifiers }) => qualifiers);
    this.labels = all.map((qualifiers) => seriesLabel(qualifiers, all));
    const labels = [...new Set(this.labels)];
    fill(this.control("statistic"), labels.map((label) => [label, label]),
      ["mean", "pinv"].find((label) => labels.includes(label)) ?? labels[0]);
    this.takeStatistic();
  }

  // The measures that hold what this one is to be compared with.
  async takeBeside(measure) {
    const names = new Set(measure.series.flatMap(({ compared }) => (compared ? [compared.measure] : [])));
    for (const name of names) {
      const other = this.facts.measures.find((one) => one.name === name);
      if (!this.beside.has(name)) this.beside.set(name, new Values(other, await unpack(`measure-${name}`), this.facts));
    }
  }

  takeStatistic() {
    this.seriesLabel = this.control("statistic").value;
    const splits = this.ofStatistic().map((one) => this.values.measure.series[one].split);
    const options = splits.includes("train") && splits.includes("test") ? [...splits, BOTH] : splits;
    const kept = options.includes(this.control("split").value) ? this.control("split").value : null;
    fill(this.control("split"), options.map((split) => [split, split]), kept ?? (splits.includes("train") ? "train" : splits[0]));
    this.log = this.values.isLogarithmic(this.ofStatistic()[0]);
    this.control("log").checked = this.log;
    this.fillLayers();
    this.draw();
  }

  fillLayers() {
    const sets = new Set(this.facts.runs.map((run) => run.layers).filter((place) => place !== null));
    const names = new Set([...sets].flatMap((place) => this.facts.layerSets[place].map(([, name]) => name)));
    fill(this.control("layer"),
      [["last", "last"], ["middle", "middle"], ["first", "first"], ...[...names].map((name) => [name, name])],
      this.control("layer").value || "last");
  }

  ofStatistic() {
    return this.labels.flatMap((label, place) => (label === this.seriesLabel ? [place] : []));
  }

  // The series in the figures: one, or two for both splits.
  seriesShown() {
    const split = this.control("split").value;
    const splits = split === BOTH ? ["train", "test"] : [split];
    return this.ofStatistic().filter((one) => splits.includes(this.values.measure.series[one].split))
      .sort((one, other) => splits.indexOf(this.values.measure.series[one].split) - splits.indexOf(this.values.measure.series[other].split));
  }

  detail() {
    const run = this.control("detailed").value;
    const missing = "This run has not begun.";
    this.control("config").textContent = run === "" ? "" : this.details.configs[run] || missing;
    this.control("record").textContent = run === "" ? "" : this.details.provenance[run] || missing;
  }

  draw(names = ["profile", "course", "scatter"]) {
    if (this.chosen === undefined || !this.epochs) return;
    const figures = { course: courseFigure };
    if (this.values) Object.assign(figures, { profile: profileFigure, scatter: scatterFigure });
    for (const name of names.filter((one) => figures[one])) this.drawOne(name, figures[name](this));
  }

  drawOne(name, { traces, layout, caption }) {
    const place = this.control(name);
    if (!traces.length) layout.annotations.push(EMPTY);
    const isNew = !place.data;
    Plotly.react(place, traces, layout, CONFIG);
    this.control(`${name}-caption`).textContent = caption;
    if (isNew && name === "scatter") place.on("plotly_click", ({ points }) => this.clicked(points[0]));
    place.dataset.drawn = String(Number(place.dataset.drawn ?? 0) + 1);
  }

  clicked(point) {
    if (point.customdata !== undefined) this.toggle(point.customdata);
  }
}

const EMPTY = { text: "nothing to show: choose a run that has these values", xref: "paper", yref: "paper", x: 0.5, y: 0.5,
  showarrow: false, font: { color: "#777", size: 13 } };

function fill(select, options, value = undefined) {
  select.replaceChildren(...options.map(([key, text]) => element("option", { value: key, textContent: text })));
  if (value !== undefined && options.some(([key]) => key === value)) select.value = value;
}

function list(id, texts) {
  const section = document.getElementById(id);
  section.hidden = texts.length === 0;
  section.querySelector("ul").append(...texts.map((text) => element("li", { textContent: text })));
}

function complain(text) {
  const message = document.getElementById("message");
  message.textContent = text;
  message.hidden = false;
}

// Until what was drawn is on the screen.
function painted() {
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}

async function start() {
  if (typeof DecompressionStream === "undefined") {
    complain("This browser is too old for the report: it cannot unpack it. Any browser from 2024 on can.");
    return;
  }
  const [facts, details] = await Promise.all([unpackFacts("facts"), unpackFacts("details"), unpackScript("plotly")]);
  window.report = new Page(facts, details);
  await window.report.begin();
  document.body.dataset.ready = "yes";
}

start().catch((error) => {
  complain(`The report could not be drawn: ${error.message}`);
  throw error;
});
