"use strict";
// The page of the stepper: shows step n of `steps`, which Python has put into words and numbers.
const steps = JSON.parse(document.getElementById("steps").textContent).steps;
const find = (id) => document.getElementById(id);
const graph = find("graph"), svg = graph.querySelector("svg");
const vertices = new Map(), edges = new Map();
const told = { value: new Set(), grad: new Set() };  // the vertices whose numbers the steps tell
for (const step of steps) for (const what in told) for (const key in step[what] || {}) told[what].add(key);
const phases = { given: "Values given", forward: "Forward", seed: "Turning back", back: "Back, by the chain rule", end: "Done" };
const list = document.querySelector("nav");
let now = 0, timer = null;

for (const g of svg.querySelectorAll("g[data-key]")) {
  const key = g.dataset.key;
  vertices.set(key, [...(vertices.get(key) || []), g]);
}
for (const path of svg.querySelectorAll("path[data-op]")) edges.set(`${path.dataset.op}:${path.dataset.slot}`, path);

function make(tag, attributes, ...children) {
  const space = ["g", "rect", "text", "tspan"].includes(tag) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// -- the graph --------------------------------------------------------------------------------------

function numbers(n) {
  const known = { value: new Map(), grad: new Map() };
  steps.slice(0, n + 1).forEach((step) => {
    for (const what of ["value", "grad"]) for (const [key, text] of Object.entries(step[what] || {})) known[what].set(key, text);
  });
  const made = new Set(steps.slice(n + 1).filter((s) => s.phase === "forward").flatMap((s) => [s.op, s.to]));
  for (const [key, drawings] of vertices) for (const g of drawings) {
    g.classList.toggle("later", made.has(key));
    for (const line of g.querySelectorAll("text[data-line]")) {
      const what = line.dataset.line;
      if (!told[what].has(key) && what === "value") continue;  // not computed in these steps: as it was
      line.textContent = what.padEnd(5) + " " + (known[what].get(key) ?? "—");
      line.classList.toggle("fresh", key in (steps[n][what] || {}));
    }
  }
}

function paint(n) {
  const step = steps[n];
  const lit = new Set([step.op, step.to, step.from]);
  for (const [key, drawings] of vertices) for (const g of drawings) g.classList.toggle("lit", lit.has(key));
  for (const path of edges.values()) path.classList.remove("flow", "passed", "active");
  svg.querySelectorAll(".label").forEach((label) => label.remove());
  if (step.phase === "forward") for (const path of edges.values()) if (path.dataset.op === step.op) path.classList.add("flow");
  const labels = [];
  steps.slice(0, n + 1).forEach((s, i) => {
    const path = s.phase === "back" && edges.get(`${s.op}:${s.slot}`);
    if (!path) return;
    path.classList.add(i === n ? "active" : "passed");
    edges.get(`${s.op}:out`)?.classList.add(i === n ? "active" : "passed");
    if (path.dataset.x) labels.push(i === n ? badge(s.badge, +path.dataset.x, +path.dataset.y)
      : kept(s.kept, +path.dataset.keptX, +path.dataset.keptY));
  });
  svg.append(...labels);
  const active = svg.querySelector(".label.active");
  const over = active?.getBoundingClientRect();
  for (const label of over ? svg.querySelectorAll(".label.kept") : []) {  // none is half hidden
    const r = label.getBoundingClientRect();
    if (r.left < over.right && over.left < r.right && r.top < over.bottom && over.top < r.bottom) label.remove();
  }
  centre([active, ...svg.querySelectorAll("g.lit")].filter(Boolean));
}

function centre(elements) {  // scroll the graph, and nothing else, to what the step is about
  if (!elements.length) return;
  const boxes = elements.map((e) => e.getBoundingClientRect()), view = graph.getBoundingClientRect();
  const x = (Math.min(...boxes.map((b) => b.left)) + Math.max(...boxes.map((b) => b.right))) / 2;
  const y = (Math.min(...boxes.map((b) => b.top)) + Math.max(...boxes.map((b) => b.bottom))) / 2;
  graph.scrollBy({ left: x - view.left - view.width / 2, top: y - view.top - view.height / 2, behavior: "instant" });
}

function box(x, y, w, h, kind) {
  return make("g", { class: kind }, make("rect", { x: x - w / 2, y: y - h / 2, width: w, height: h, rx: 8 }));
}

function badge(parts, x, y) {
  const [[small], ...rest] = parts;
  const wide = Math.max(small.length * 6.4, rest.map(([text]) => text).join("").length * 8.6) + 18;
  const label = box(x, y, wide, 40, "label active");
  label.append(make("text", { x, y: y - 5, class: "small" }, small),
    make("text", { x, y: y + 13, "xml:space": "preserve" }, ...rest.map(([text, kind]) => make("tspan", { class: kind }, text))));
  return label;
}

function kept(text, x, y) {
  const label = box(x, y, text.length * 7.4 + 12, 17, "label kept");
  label.append(make("text", { x, y: y + 4.3 }, text));
  return label;
}

// -- the panel --------------------------------------------------------------------------------------

function table(t) {
  const [rows, columns] = t.shape.length === 1 ? [1, t.shape[0]] : [t.shape.slice(0, -1).reduce((a, b) => a * b, 1), t.shape.at(-1)];
  const caption = make("figcaption", { class: t.kind }, t.title + " ", make("small", {}, `${t.shape.join(" × ")}, ${t.size}`));
  if (!t.cells) return make("figure", { "data-kind": t.kind }, caption);
  const body = make("tbody");
  for (let r = 0; r < rows; r++) {
    const row = make("tr");
    for (let c = 0; c < columns; c++) {
      const i = r * columns + c, behind = t.behind?.[i];
      const cell = behind ? make("button", { type: "button", "data-element": i, "aria-pressed": false, title: "How?" }, t.cells[i])
        : make("span", {}, t.cells[i]);
      if (behind) cell.onclick = () => explain(behind, cell);
      row.append(make("td", {}, cell));
    }
    body.append(row);
  }
  return make("figure", { "data-kind": t.kind }, caption, make("table", {}, body));
}

function explain(behind, cell) {
  const again = cell.getAttribute("aria-pressed") === "true";
  document.querySelectorAll("td > button").forEach((b) => b.setAttribute("aria-pressed", !again && b === cell));
  find("terms").replaceChildren(...(again ? [] : behind.map((text) => make("div", {}, text))));
  find("panel").scrollTop = find("panel").scrollHeight;
}

function tell(n) {
  const step = steps[n];
  find("phase").textContent = phases[step.phase];
  find("sentence").textContent = step.say;
  find("math").replaceChildren(...step.math.map(([text, kind]) => make("span", { class: kind }, text)));
  find("legend").classList.toggle("told", step.phase === "back" && step.math.length > 0);
  find("sum").textContent = step.sum || "";
  find("change").textContent = step.change ? `${step.change[0]}:  ${step.change[1]} → ${step.change[2]}` : "";
  find("tables").replaceChildren(...(step.tables || []).map(table));
  find("terms").replaceChildren();
}

// -- moving -----------------------------------------------------------------------------------------

function show(n) {
  now = Math.min(Math.max(n, 0), steps.length - 1);
  numbers(now);
  paint(now);
  tell(now);
  find("count").textContent = `${now} / ${steps.length - 1}`;
  find("progress").value = now;
  find("first").disabled = find("prev").disabled = now === 0;
  find("next").disabled = find("last").disabled = now === steps.length - 1;
  document.querySelectorAll(".step-list button").forEach((button, i) => {
    button.classList.toggle("later", i > now);
    if (i === now) { button.setAttribute("aria-current", "step"); list.scrollTop = button.offsetTop - list.clientHeight / 2; }
    else button.removeAttribute("aria-current");
  });
  if (now === steps.length - 1) play(false);
  try { history.replaceState(null, "", `#step=${now}`); } catch { /* a frame without an address */ }
}

function play(on = timer === null) {
  clearInterval(timer);
  timer = on ? setInterval(() => show(now + 1), 1600) : null;
  find("play").textContent = on ? "❚❚ pause" : "▶ play";
  find("play").setAttribute("aria-label", on ? "Pause" : "Play");
}

function go(n) { play(false); show(n); }

function from() {
  const match = /step=(\d+)/.exec(location.hash);
  show(match ? +match[1] : 0);
}

function fit() {
  const [, , w, h] = svg.getAttribute("viewBox").split(" ").map(Number);
  const scale = Math.min(Math.max(Math.min((graph.clientWidth - 20) / w, (graph.clientHeight - 20) / h), 0.85), 1.6);
  svg.setAttribute("width", w * scale);
  svg.setAttribute("height", h * scale);
}

steps.forEach((step, n) => {
  const button = make("button", { type: "button", class: step.phase }, make("i", {}, String(n)), make("b", {}, step.title));
  button.onclick = () => go(n);
  document.querySelector(".step-list").append(make("li", {}, button));
});
find("progress").max = steps.length - 1;
find("first").onclick = () => go(0);
find("prev").onclick = () => go(now - 1);
find("next").onclick = () => go(now + 1);
find("last").onclick = () => go(steps.length - 1);
find("play").onclick = () => { if (now === steps.length - 1) show(0); play(); };
find("progress").oninput = (event) => go(+event.target.value);
find("theme").onclick = () => {
  const root = document.documentElement.classList;
  const dark = root.contains("dark") || (!root.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches);
  for (const list of [root, svg.classList]) { list.toggle("dark", !dark); list.toggle("light", dark); }
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.id === "progress") return;
  const moves = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: steps.length - 1 };
  if (event.key in moves) go(moves[event.key]);
  else if (event.key === " " && event.target.tagName !== "BUTTON") find("play").click();
  else return;
  event.preventDefault();
});
addEventListener("resize", fit);
addEventListener("hashchange", from);
fit();
from();
