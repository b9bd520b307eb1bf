// The page of a picture; places.js stands before it, in the same function.
const MARGIN = 12, MANY = 600, NS = "http://www.w3.org/2000/svg";

function start(page) {
  page.dataset.ready = "1";
  const data = JSON.parse(page.querySelector('script[type="application/json"]').textContent);
  const view = page.querySelector(".ag-view"), svg = view.querySelector("svg"), tip = page.querySelector(".ag-tip");
  const search = page.querySelector("input"), found = page.querySelector(".ag-found");
  const embedded = !document.body.classList.contains("ag-only");
  const closed = new Set(), base = place(data, closed), nodes = {}, frames = {}, edges = [];
  let now = base, box = [0, 0, 100, 100], hits = [], hit = -1;
  svg.removeAttribute("width"); svg.removeAttribute("height");
  svg.querySelector(".paper").setAttribute("width", 0);
  svg.querySelectorAll("g[data-key]").forEach(g => {
    nodes[g.dataset.key + (g.dataset.copy ? "~" + g.dataset.copy : "")] = g;
    if (g.classList.contains("closed")) button(g, g.dataset.key);
  });
  svg.querySelectorAll("svg[data-group]").forEach(m => {
    frames[m.dataset.group] = m;
    const head = document.createElementNS(NS, "rect");
    head.setAttribute("class", "ag-head"); head.setAttribute("width", "100%"); head.setAttribute("height", "24");
    m.append(head); button(head, m.dataset.group);
    const minus = document.createElementNS(NS, "text");
    minus.setAttribute("class", "name"); minus.setAttribute("x", "100%"); minus.setAttribute("dx", "-20");
    minus.setAttribute("y", "18"); minus.setAttribute("font-size", "17"); minus.setAttribute("font-weight", "bold"); minus.textContent = "−"; m.insertBefore(minus, head);
  });
  svg.querySelectorAll("path[data-from]").forEach(p => edges.push(p));
  const from = {}, to = {};
  data.edges.forEach(([a, b, , dotted], i) => {
    (to[a] = to[a] || []).push([b, i, dotted]); (from[b] = from[b] || []).push([a, i, 0]);
  });

  function button(target, key) {
    target.setAttribute("tabindex", "0"); target.setAttribute("role", "button");
    target.setAttribute("aria-label", "module " + ((data.about[key] || {}).name || key));
    target.dataset.toggle = key;
  }
  const hidden = key => { for (let b = data.parent[key]; b; b = data.parent[b]) if (closed.has(b)) return true; return false; };
  const stands = key => { let s = key; for (let b = data.parent[key]; b; b = data.parent[b]) if (closed.has(b)) s = b; return closed.has(key) && !hidden(key) ? key : s; };

  function draw() {
    now = place(data, closed);
    for (const key in nodes) {
      const g = nodes[key], at = now.centre[key], shut = g.classList.contains("closed");
      const shown = at && !hidden(key) && (!shut || closed.has(key));
      g.setAttribute("display", shown ? "inline" : "none");
      if (!shown) continue;
      const was = shut ? [-MARGIN, -MARGIN] : base.centre[key];
      g.setAttribute("transform", `translate(${(at[0] - was[0]).toFixed(1)},${(at[1] - was[1]).toFixed(1)})`);
    }
    for (const key in frames) {
      const m = frames[key], r = now.box[key];
      m.setAttribute("display", r ? "inline" : "none");
      if (r) ["x", "y", "width", "height"].forEach((name, i) => m.setAttribute(name, (r[i] + (i < 2 ? MARGIN : 0)).toFixed(1)));
    }
    edges.forEach((p, i) => {
      const r = now.route[i], text = p.nextElementSibling;
      p.setAttribute("display", r.length ? "inline" : "none");
      if (r.length) p.setAttribute("d", "M" + r.map((q, j) => (j === 1 ? "C" : "") + (q[0] + MARGIN).toFixed(1) + "," + (q[1] + MARGIN).toFixed(1)).join(" "));
      if (text && text.tagName === "text") {
        text.setAttribute("display", r.length ? "inline" : "none");
        const q = now.centre["=" + i] || r[r.length >> 1];
        if (q) { text.setAttribute("x", q[0] + MARGIN); text.setAttribute("y", q[1] + MARGIN - (now.centre["=" + i] ? 5 : 10)); }
      }
    });
  }

  // -- what is seen of it
  let waiting = 0;
  function look() {
    svg.setAttribute("viewBox", box.map(x => x.toFixed(2)).join(" "));
    if (edges.length > MANY && !waiting) waiting = requestAnimationFrame(cull);
  }
  function cull() {  // only what is in sight is drawn
    waiting = 0;
    const [x, y, w, h] = box, off = (l, t, r, b) => r < x - w / 4 || l > x + w * 1.25 || b < y - h / 4 || t > y + h * 1.25;
    for (const key in nodes) {
      const c = now.centre[key], s = data.size[key];
      if (c && s) nodes[key].style.visibility = off(c[0] - s[0], c[1] - s[1], c[0] + s[0], c[1] + s[1]) ? "hidden" : "";
    }
    edges.forEach((p, i) => {
      const r = now.route[i];
      if (!r.length) return;
      const a = r[0], b = r[r.length - 1];
      const out = off(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1]));
      p.style.visibility = out ? "hidden" : "";
    });
  }
  const area = () => [view.clientWidth || 800, view.clientHeight || 400];
  function zoom(factor, px, py) {
    const [w, h] = area(), k = box[2] / w;
    const next = Math.min(Math.max(k / factor, 0.1), Math.max(20, now.width / w * 2));
    box = [box[0] + px * (k - next), box[1] + py * (k - next), w * next, h * next];
    look();
  }
  function fit(readable) {
    const [w, h] = area(), W = now.width + 2 * MARGIN, H = now.height + 2 * MARGIN;
    let k = Math.max(W / w, H / h, 0.75);
    if (readable) k = Math.min(k, Math.max(1, Math.min(H / h, W / w, 1.25)));
    const x = W <= w * k ? (W - w * k) / 2 : data.direction === "RL" ? W - w * k : 0;
    const y = H <= h * k ? (H - h * k) / 2 : data.direction === "BT" ? H - h * k : W > w * k ? (H - h * k) / 2 : 0;
    box = [x, y, w * k, h * k];
    look();
  }
  function centre(key) {
    const c = now.centre[key], s = stands(key);
    if (!now.centre[s] && !c) return;
    const [x, y] = now.centre[s] || c, k = Math.min(box[2] / area()[0], 1.25), [w, h] = area();
    box = [x + MARGIN - w * k / 2, y + MARGIN - h * k / 2, w * k, h * k];
    look();
  }
  function grow() {  // in a notebook the view is as high as what it shows, but not too high
    const needed = Math.min(560, Math.max(140, now.height + 2 * MARGIN + 8));
    if (embedded && !(parseFloat(view.style.height) >= needed)) view.style.height = needed + "px";
  }
  function toggle(key) {
    const before = corner(key);
    closed.has(key) ? closed.delete(key) : closed.add(key);
    draw();
    const after = corner(key);  // what was clicked stays under the pointer
    if (before && after) { box[0] += after[0] - before[0]; box[1] += after[1] - before[1]; }
    grow();
    look();
    leave();
    const target = closed.has(key) ? nodes[key] : frames[key] && frames[key].querySelector(".ag-head");
    if (target && view.contains(document.activeElement)) target.focus({preventScroll: true});
  }
  function corner(key) {
    if (now.box[key]) return now.box[key];
    const c = now.centre[key], s = data.size[key];
    return c && [c[0] - s[0] / 2, c[1] - s[1] / 2];
  }

  // -- the way of a value, and of its gradient
  function walk(first, next, name) {
    const seen = new Set([first]), stack = [first];
    while (stack.length) for (const [key, i, dotted] of next[stack.pop()] || []) {
      if (dotted) continue;
      edges[i].classList.add(name);
      if (!seen.has(key)) { seen.add(key); if (nodes[stands(key)]) nodes[stands(key)].classList.add(name); stack.push(key); }
    }
  }
  function leave() {
    svg.classList.remove("ag-dim"); tip.hidden = true;
    svg.querySelectorAll(".ag-here,.ag-from,.ag-back").forEach(e => e.classList.remove("ag-here", "ag-from", "ag-back"));
  }
  function enter(g) {
    leave();
    const key = g.dataset.key + (g.dataset.copy ? "~" + g.dataset.copy : "");
    svg.classList.add("ag-dim"); g.classList.add("ag-here");
    const inner = closed.has(key) ? Object.keys(data.parent).filter(k => stands(k) === key) : [key];
    for (const k of inner) { walk(k, from, "ag-from"); walk(k, to, "ag-back"); }
    tell(data.about[key] || {}, g);
  }
  function tell(about, at) {
    tip.textContent = "";
    const add = (tag, text) => { const e = document.createElement(tag); e.textContent = text; tip.append(e); };
    add("b", (about.name || about.kind) + (about.count ? " ×" + about.count : ""));
    const rows = [["", about.name ? about.kind : ""], ["", about.params], ["shape", about.shape && "(" + about.shape.join(", ") + (about.shape.length === 1 ? ",)" : ")") + " " + (about.dtype || "")],
      ["value", about.value || (about.kind === "operation" ? "" : "—")], ["range", about.low && about.low + " … " + about.high],
      ["grad", about.grad || (/operation|constant/.test(about.kind) ? "" : "—")], ["grad size", about.grad_size],
      ["", about.marks && about.marks.join(", ")], ["", about.note], ["error", about.error]];
    for (const [name, text] of rows) if (text) {
      if (name) add("span", name + " ");
      tip.append(document.createTextNode(text + "\n"));
    }
    tip.hidden = false;
    const r = view.getBoundingClientRect(), g = at.getBoundingClientRect(), [w, h] = area();
    const below = g.bottom - r.top + 8, above = g.top - r.top - tip.offsetHeight - 8;
    tip.style.left = Math.max(4, Math.min(g.left - r.left, w - tip.offsetWidth - 4)) + "px";
    tip.style.top = Math.max(4, below + tip.offsetHeight < h || above < 4 ? Math.min(below, h - tip.offsetHeight - 4) : above) + "px";
  }

  // -- what is done by hand
  let drag = null, moved = false;
  view.addEventListener("pointerdown", e => { if (e.button === 0) { drag = [e.clientX, e.clientY, box[0], box[1]]; moved = false; } });
  view.addEventListener("pointermove", e => {
    if (!drag) return;
    const dx = e.clientX - drag[0], dy = e.clientY - drag[1], k = box[2] / area()[0];
    if (!moved && Math.hypot(dx, dy) < 4) return;
    if (!moved) { moved = true; view.setPointerCapture(e.pointerId); view.classList.add("ag-drag"); leave(); }
    box[0] = drag[2] - dx * k; box[1] = drag[3] - dy * k;
    look();
  });
  const release = () => { drag = null; view.classList.remove("ag-drag"); };
  view.addEventListener("pointerup", release);
  view.addEventListener("pointercancel", release);
  view.addEventListener("click", e => {
    const t = e.target.closest("[data-toggle]");
    if (t && !moved) toggle(t.dataset.toggle);
  });
  view.addEventListener("wheel", e => {
    if (embedded && !e.ctrlKey && !view.contains(document.activeElement)) return;  // the page scrolls past
    e.preventDefault();
    const r = view.getBoundingClientRect();
    zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.002)), e.clientX - r.left, e.clientY - r.top);
  }, {passive: false});
  view.addEventListener("pointerover", e => {
    const g = !drag && e.target.closest("g[data-key]");
    if (g) enter(g); else leave();
  });
  view.addEventListener("pointerleave", leave);
  view.addEventListener("keydown", e => {
    const [w, h] = area(), t = e.target.closest("[data-toggle]"), step = box[2] / 8;
    const keys = {"+": () => zoom(1.25, w / 2, h / 2), "=": () => zoom(1.25, w / 2, h / 2), "-": () => zoom(0.8, w / 2, h / 2),
      "0": () => fit(false), ArrowLeft: () => { box[0] -= step; look(); }, ArrowRight: () => { box[0] += step; look(); },
      ArrowUp: () => { box[1] -= step; look(); }, ArrowDown: () => { box[1] += step; look(); }, Escape: leave};
    if (t && (e.key === "Enter" || e.key === " ")) keys[e.key] = () => toggle(t.dataset.toggle);
    if (keys[e.key] && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); keys[e.key](); }
  });
  function seek(again) {
    if (!again) {
      const text = search.value.trim().toLowerCase();
      hits = text ? Object.keys(data.about).filter(k => ((data.about[k].name || "") + " " + (data.about[k].params || "")).toLowerCase().includes(text)) : [];
      hit = -1;
    }
    svg.querySelectorAll(".ag-hit").forEach(g => g.classList.remove("ag-hit"));
    if (hits.length) {
      hit = (hit + 1) % hits.length;
      const key = hits[hit], shut = Object.keys(frames).filter(b => closed.has(b) && inBox(key, b));
      if (shut.length) { shut.forEach(b => closed.delete(b)); draw(); }
      hits.forEach(k => nodes[k] && nodes[k].classList.add("ag-hit"));
      centre(key);
    }
    found.textContent = search.value.trim() ? (hits.length ? `${hit + 1} of ${hits.length}` : "nothing") : "";
  }
  const inBox = (key, b) => { for (let p = data.parent[key]; p; p = data.parent[p]) if (p === b) return true; return false; };
  search.addEventListener("input", () => seek(false));
  search.addEventListener("keydown", e => { if (e.key === "Enter") seek(true); e.stopPropagation(); });
  page.querySelector(".ag-bar").addEventListener("click", e => {
    const [w, h] = area(), all = Object.keys(frames);
    const what = {in: () => zoom(1.25, w / 2, h / 2), out: () => zoom(0.8, w / 2, h / 2), fit: () => fit(false),
      open: () => { closed.clear(); draw(); grow(); fit(false); }, close: () => { all.forEach(b => closed.add(b)); draw(); fit(false); },
      dark: () => {
        const dark = page.classList.contains("dark") || !page.classList.contains("light") && matchMedia("(prefers-color-scheme: dark)").matches;
        [page, ...page.querySelectorAll('svg[class*="ag-"]')].forEach(x => { x.classList.toggle("dark", !dark); x.classList.toggle("light", dark); });
      }}[(e.target.dataset || {}).do];
    if (what) what();
  });
  if (!Object.keys(frames).length) page.querySelectorAll('[data-do="open"],[data-do="close"]').forEach(b => b.remove());
  data.closed.forEach(key => closed.add(key));
  draw();
  grow();
  fit(true);
  let size = area();
  if (typeof ResizeObserver !== "undefined") new ResizeObserver(() => {
    if (area()[0] !== size[0]) fit(true);  // another window
    else { box[3] = box[2] * area()[1] / area()[0]; look(); }
    size = area();
  }).observe(view);
  page.picture = {toggle, fit, centre, closed, places: () => now};
}
document.querySelectorAll(".ag-page:not([data-ready])").forEach(start);
