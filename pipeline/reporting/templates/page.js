"use strict";

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

function labelledSelect(label, options, onchange) {
  const select = element("select", { onchange: () => onchange(select.value) });
  for (const [value, text] of options) select.append(element("option", { value }, text));
  return { node: element("label", {}, label, select), select };
}

function figureText(value, digits) {
  if (value === null || value === undefined) return "–";
  const number = Number(value);
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  return number.toFixed(digits).replace("-", "−");
}

// the slider over two pictures: the position is a custom property that the style sheet clips with
document.addEventListener("input", (event) => {
  const box = event.target.closest(".compare");
  if (box) box.style.setProperty("--x", event.target.value);
});

// theme: what the system says, or one of the two
(() => {
  const button = document.querySelector(".theme");
  const themes = ["auto", "light", "dark"];
  let place = 0;
  button.addEventListener("click", () => {
    place = (place + 1) % themes.length;
    if (place) document.documentElement.dataset.theme = themes[place];
    else delete document.documentElement.dataset.theme;
    button.textContent = `Theme: ${themes[place]}`;
  });
})();

// leaderboards: sorted by any column, best first, then worst first; figures that are not there stay last
for (const table of document.querySelectorAll("table.board")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.querySelector("tbody.sorted");
  if (!body) continue;
  heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => {
    const first = place ? "descending" : "ascending";
    const second = place ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? second : first;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const key = (row) => row.cells[place].dataset.value;
    const rows = [...body.rows].sort((one, other) => {
      if (!place) return sign * one.cells[0].textContent.localeCompare(other.cells[0].textContent);
      if (key(one) === "" || key(other) === "") return (key(one) === "") - (key(other) === "");
      const [left, right] = [Number(key(one)), Number(key(other))];
      return left === right ? 0 : sign * (left < right ? -1 : 1);
    });
    body.append(...rows);
  }));
}
document.getElementById("all-metrics")?.addEventListener("change", (event) => {
  for (const table of document.querySelectorAll("table.board")) table.classList.toggle("all", event.target.checked);
});

// the section in view is marked in the navigation
(() => {
  const links = new Map([...document.querySelectorAll("nav.sections a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  document.querySelectorAll("section.part").forEach((part) => watcher.observe(part));
})();

// pairwise differences: one square table for a set, metric and variant
(() => {
  const controls = document.getElementById("pair-controls");
  if (!controls) return; // no pairs on this page
  const data = JSON.parse(document.getElementById("data-pairs").textContent);
  const distinct = (name) => [...new Set(data.rows.map((row) => row[name]))];
  const chosen = { set: distinct("set")[0], metric: data.metrics[0].name, variant: distinct("variant")[0] };

  function draw() {
    const metric = data.metrics.find((one) => one.name === chosen.metric);
    const rows = data.rows.filter((row) => Object.keys(chosen).every((name) => row[name] === chosen[name]));
    const methods = [...new Set(rows.flatMap((row) => [row.method, row.other]))].sort();
    const found = new Map();
    for (const row of rows) {
      found.set(JSON.stringify([row.method, row.other]), row);
      const turned = (value) => (value === null ? null : -value);
      const back = { ...row, difference: turned(row.difference), low: turned(row.high), high: turned(row.low) };
      const key = JSON.stringify([row.other, row.method]);
      if (!found.has(key)) found.set(key, back);
    }
    const head = element("tr", {}, element("th", { scope: "col" }, "Method"));
    for (const name of methods) head.append(element("th", { scope: "col" }, name));
    const body = element("tbody");
    for (const name of methods) {
      const line = element("tr", {}, element("th", { scope: "row" }, name));
      for (const other of methods) {
        const row = found.get(JSON.stringify([name, other]));
        if (!row) { line.append(element("td", {}, name === other ? "" : "–")); continue; }
        const sure = row.p_holm !== null && row.p_holm < 0.05 && row.better && row.difference;
        const wins = sure && (row.difference > 0) === (row.better === "higher");
        const sign = row.difference > 0 ? "+" : "";
        line.append(element("td", {
          class: sure ? (wins ? "win" : "loss") : null,
          title: `p ${figureText(row.p, 4)}, after Holm ${figureText(row.p_holm, 4)}, ${row.images} photographs`,
        }, `${sign}${figureText(row.difference, metric.digits)}`, element("br"),
        element("span", { class: "soft small" }, `${figureText(row.low, metric.digits)} to ${figureText(row.high, metric.digits)}`)));
      }
      body.append(line);
    }
    const unit = metric.unit ? `, ${metric.unit}` : "";
    const table = element("table", {}, element("caption", {}, `${metric.label}${unit}: row minus column`), element("thead", {}, head), body);
    document.getElementById("pair-table").replaceChildren(table);
  }

  const pick = (name) => (value) => { chosen[name] = value; draw(); };
  const choices = [["Set", "set", distinct("set").map((one) => [one, one])],
    ["Metric", "metric", data.metrics.map((one) => [one.name, one.label])],
    ["Results", "variant", distinct("variant").map((one) => [one, one])]];
  for (const [label, name, options] of choices) {
    if (options.length > 1) controls.append(labelledSelect(label, options, pick(name)).node);
  }
  draw();
})();
