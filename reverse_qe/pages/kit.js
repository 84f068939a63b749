"use strict";
// Values under the pointer, and ranges of time. Without this script every chart is whole; it fetches and stores nothing.
const plots = [...document.querySelectorAll("svg.plot[data-first]")].map((plot) => {
  const inner = plot.querySelector(".stretched"), [, , width, height] = inner.getAttribute("viewBox").split(" ").map(Number);
  const { first, last, low, high, log, unit } = plot.dataset;
  return {
    plot, inner, width, height, unit, figure: plot.closest("figure"), from: 0, to: width,
    begin: Date.parse(first + "Z"), end: Date.parse(last + "Z"), log: Boolean(log), low: Number(low), high: Number(high),
    days: [...plot.querySelectorAll(".day")].map((day) => [day, parseFloat(day.getAttribute("x")) / 100]),
  };
});

function points(path) {
  const found = [];
  for (const run of path.getAttribute("d").split("M").slice(1)) {
    const numbers = run.match(/-?\d+/g).map(Number);
    for (let i = 0, x = 0, y = 0; i + 1 < numbers.length; i += 2) found.push([(x += numbers[i]), (y += numbers[i + 1])]);
  }
  return found;
}

function nearest(way, place) {
  return way.reduce((best, point) => (Math.abs(point[0] - place) < Math.abs(best[0] - place) ? point : best));
}

function text(chart, down) {
  const share = 1 - down / chart.height;
  const value = chart.log ? chart.low * (chart.high / chart.low) ** share : chart.low + share * (chart.high - chart.low);
  if (chart.unit === "percent") return (100 * value).toFixed(1) + "%";
  return chart.unit === "times" ? Number(value.toPrecision(3)).toLocaleString("en") + "\u00d7" : value.toFixed(2);
}

function moment(chart, place) {
  return new Date(chart.begin + (place / chart.width) * (chart.end - chart.begin) + 43200000).toISOString().slice(0, 10);
}

function place(chart, event) {
  const box = chart.plot.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
  return chart.from + Math.min(Math.max(share, 0), 1) * (chart.to - chart.from);
}

function element(name, kind, parent) {
  const made = document.createElement(name);
  made.className = kind;
  return parent.appendChild(made);
}

function show(from, to) {
  for (const chart of plots) {
    [chart.from, chart.to] = [from * chart.width, to * chart.width];
    chart.inner.setAttribute("viewBox", `${chart.from} 0 ${chart.to - chart.from} ${chart.height}`);
    for (const [day, share] of chart.days) {
      const shown = (share - from) / (to - from);
      day.setAttribute("x", 100 * shown + "%");
      day.style.visibility = shown < -0.001 || shown > 1.001 ? "hidden" : "visible";
    }
  }
}

for (const chart of plots) {
  const lines = [...chart.plot.querySelectorAll("path.line")];
  const tip = element("div", "tip", chart.figure), cursor = element("div", "cursor", chart.figure);
  let ways = null, pressed = null;
  tip.hidden = cursor.hidden = true;
  chart.plot.addEventListener("pointermove", (event) => {
    if (!lines.length) return;
    ways ??= lines.map((line) => [line.dataset.name, points(line)]);
    const near = nearest(ways[0][1], place(chart, event));
    tip.replaceChildren(element("b", "", tip));
    tip.firstChild.textContent = moment(chart, near[0]);
    for (const [name, way] of ways) element("span", "", tip).textContent = `${name} ${text(chart, nearest(way, near[0])[1])}`;
    const box = chart.plot.getBoundingClientRect(), frame = chart.figure.getBoundingClientRect();
    const left = box.left - frame.left + ((near[0] - chart.from) / (chart.to - chart.from)) * box.width;
    tip.hidden = cursor.hidden = false;
    cursor.style.cssText = `left:${left}px;top:${box.top - frame.top}px;height:${box.height}px`;
    const room = left > frame.width / 2 ? left - tip.offsetWidth - 10 : left + 10;
    tip.style.cssText = `left:${Math.max(0, room)}px;top:${box.top - frame.top + 6}px`;
  });
  chart.plot.addEventListener("pointerleave", () => { tip.hidden = cursor.hidden = true; });
  chart.plot.addEventListener("pointerdown", (event) => { pressed = event.pointerType === "mouse" ? place(chart, event) : null; });
  chart.plot.addEventListener("pointerup", (event) => {
    const [from, to] = [pressed ?? 0, place(chart, event)].sort((one, other) => one - other);
    if (pressed !== null && to - from > 0.01 * (chart.to - chart.from)) show(from / chart.width, to / chart.width);
    pressed = null;
  });
  chart.plot.addEventListener("dblclick", () => show(0, 1));
}

// Ranges by button, for the keyboard too; they hold for all charts, whose spans of time are one.
if (plots.length) {
  const years = (plots[0].end - plots[0].begin) / 31557600000;
  const bar = element("p", "ranges", document.createElement("div"));
  bar.append("Show ");
  for (const [name, wanted] of [["all", years], ["5 years", 5], ["3 years", 3], ["1 year", 1]]) {
    if (wanted > years) continue;
    const button = element("button", "", bar);
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => show(1 - wanted / years, 1));
  }
  bar.append(" or drag over a chart; a double click shows all.");
  plots[0].figure.before(bar);
}
