// The table of runs: sorted by any column, filtered by text and by the values of axes, with runs to choose.

const MOST_OPTIONS = 60;

// Numbers by size, also where they are texts; other texts by letters.
function compared(one, other) {
  const difference = Number(one) - Number(other);
  return Number.isNaN(difference) ? String(one).localeCompare(String(other), undefined, { numeric: true }) : difference;
}

class RunsTable {
  constructor(facts, changed, toggled) {
    this.facts = facts;
    this.changed = changed;
    this.toggled = toggled;
    this.columns = columnsOf(facts);
    this.order = facts.runs.map((_, run) => run);
    this.sorting = { column: -1, down: false };
    this.texts = facts.runs.map((run) => this.columns.map((column) => column.text(run)).join(" ").toLowerCase());
    this.rows = facts.runs.map((run, number) => this.row(run, number));
    this.head();
    this.filters();
    this.filter();
  }

  // Show the rows, which takes the browser longer than drawing a figure when there are a thousand.
  attach() {
    document.querySelector("#runs tbody").append(...this.order.map((run) => this.rows[run]));
  }

  head() {
    const line = document.querySelector("#runs thead tr");
    line.append(element("th", { textContent: "compare", scope: "col", className: "plain" }));
    this.columns.forEach((column, number) => {
      const button = element("button", { type: "button", textContent: column.name, title: column.title ?? "" });
      button.addEventListener("click", () => this.sort(number));
      const cell = element("th", { scope: "col", className: column.number ? "number" : "" });
      cell.append(button);
      line.append(cell);
    });
    line.append(element("th", { textContent: "files", scope: "col", className: "plain" }));
  }

  row(run, number) {
    const row = element("tr", {});
    const box = element("input", { type: "checkbox", ariaLabel: `compare ${run.name}` });
    box.addEventListener("change", () => this.toggled(number));
    const cell = element("td", {});
    cell.append(box);
    row.append(cell, ...this.columns.map((column) => element("td", {
      textContent: column.text(run), className: column.number ? "number" : column.className?.(run) ?? "",
      title: column.hint?.(run) ?? "",
    })), linksCell(run));
    return row;
  }

  filters() {
    const place = document.getElementById("filters");
    this.selects = this.columns.filter((column) => column.filtered).flatMap((column) => {
      const found = [...new Set(this.facts.runs.map((run) => column.text(run)))].sort(compared);
      if (found.length < 2 || found.length > MOST_OPTIONS) return [];
      const select = element("select", {});
      select.append(element("option", { value: "", textContent: "all" }),
        ...found.map((text, number) => element("option", { value: String(number), textContent: text || "none" })));
      const label = element("label", { textContent: column.name });
      label.append(select);
      place.append(label);
      select.addEventListener("change", () => this.filter());
      return [{ column, select, found }];
    });
    document.getElementById("search").addEventListener("input", () => this.filter());
  }

  filter() {
    const words = document.getElementById("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = this.selects.filter(({ select }) => select.value !== "");
    this.facts.runs.forEach((run, number) => {
      const fits = words.every((word) => this.texts[number].includes(word)) &&
        wanted.every(({ column, select, found }) => column.text(run) === found[Number(select.value)]);
      this.rows[number].hidden = !fits;
    });
    this.changed();
  }

  sort(number) {
    const { column, down } = this.sorting;
    this.sorting = { column: number, down: column === number && !down };
    const { value } = this.columns[number];
    const sign = this.sorting.down ? -1 : 1;
    this.order.sort((one, other) => {
      const [first, second] = [value(this.facts.runs[one]), value(this.facts.runs[other])];
      if (first === null || second === null) return (first === null) - (second === null) || one - other;
      return sign * compared(first, second) || one - other;
    });
    this.attach();
    document.querySelectorAll("#runs thead th").forEach((cell, place) => {
      if (place === number + 1) cell.ariaSort = this.sorting.down ? "descending" : "ascending";
      else cell.removeAttribute("aria-sort");
    });
  }

  // The runs that pass the filter, in the order of the table.
  shown() {
    return this.order.filter((run) => !this.rows[run].hidden);
  }

  mark(chosen) {
    this.rows.forEach((row, number) => {
      const isChosen = chosen.includes(number);
      row.classList.toggle("chosen", isChosen);
      row.querySelector("input").checked = isChosen;
    });
  }
}

function columnsOf(facts) {
  const shorts = facts.axes.map((axis) => axis.split(".").slice(1).join(".") || axis);
  const axes = facts.axes.map((axis, place) => ({
    name: shorts.filter((short) => short === shorts[place]).length > 1 ? axis : shorts[place],
    title: axis, filtered: true, number: facts.runs.some((run) => typeof run.axes[place] === "number"),
    value: (run) => run.axes[place], text: (run) => (run.axes[place] === null ? "" : String(run.axes[place])),
  }));
  const accuracy = (split) => ({
    name: `${split} accuracy`, number: true, value: (run) => (typeof run[split] === "number" ? run[split] : null),
    text: (run) => (typeof run[split] === "number" ? `${(100 * run[split]).toFixed(2)} %` : ""),
  });
  return [
    { name: "run", value: (run) => run.name, text: (run) => run.name, className: () => "name" },
    ...axes,
    { name: "state", filtered: true, value: (run) => run.state || null, text: (run) => run.state,
      hint: (run) => run.reason, className: (run) => `state-${run.state}` },
    { name: "epochs", number: true, value: (run) => run.done, text: (run) => `${run.done ?? 0} of ${run.planned}` },
    accuracy("train"), accuracy("test"),
    { name: "NC layer", title: "at the last measured epoch", value: (run) => run.ncLayer?.index ?? null, text: ncText },
  ];
}

function ncText(run) {
  if (run.ncLayer === null) return "";
  return run.ncLayer.name ? `${run.ncLayer.name} (layer ${run.ncLayer.index})` : "none";
}

function linksCell(run) {
  const cell = element("td", {});
  cell.append(...Object.entries(run.links).map(([text, href]) => element("a", { textContent: text, href })));
  return cell;
}

function element(kind, properties) {
  return Object.assign(document.createElement(kind), properties);
}
