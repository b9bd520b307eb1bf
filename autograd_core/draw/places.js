"use strict";
// Places: what order.py, places.py and layout.py do, for boxes of which some are closed.
const ALONG = 24, ACROSS = 14, NARROW = 9, WIDER = 24, SWEEPS = 16, LARGE = 1000, LEAF = 0.05;
const ARROW = 6, BESIDE = 8, BORDER = 20, PAD = 10, HEADER = 24, LANE = 14;
const isPort = t => t[0] === ">" || t[0] === "<";
const pairs = list => list.slice(1).map((b, i) => [list[i], b]);

function spread(row, room, near, at) {
  const pools = [];
  row.forEach((v, i) => {
    let mean = at[v] - room[i], weight = 0.1, n = 1;
    if (near[v].length) {
      weight = 0; mean = 0;
      for (const [u, shift, w] of near[v]) { weight += w; mean += (at[u] + shift) * w; }
      mean = mean / weight - room[i];
    }
    while (pools.length && pools[pools.length - 1][0] > mean) {
      const [old, heavy, m] = pools.pop();
      mean = (old * heavy + mean * weight) / (heavy + weight); weight += heavy; n += m;
    }
    pools.push([mean, weight, n]);
  });
  let i = 0;
  for (const [mean, , n] of pools) for (let k = 0; k < n; k++, i++) at[row[i]] = mean + room[i];
}

function positions(level, breadth, lines, ends) {
  const count = level.layer.length, above = [], below = [], at = [], seen = new Set(), fed = new Set();
  const wide = v => v < breadth.length ? breadth[v] : 0, thin = v => v < lines.length ? lines[v] : true;
  for (let v = 0; v < count; v++) { above.push([]); below.push([]); at.push(0); if (thin(v)) fed.add(v); }
  for (const chain of level.chains) fed.add(chain[chain.length - 1]);
  level.chains.forEach((chain, e) => pairs(chain).forEach(([a, b], i) => {
    const shift = (i === 0 ? ends[e][0] : 0) - (i === chain.length - 2 ? ends[e][1] : 0);
    const key = a + " " + b + " " + shift;
    if (seen.has(key)) return;
    seen.add(key);
    const weight = thin(a) && thin(b) ? 8 : (thin(a) || thin(b) ? 2 : 1) * (fed.has(chain[0]) ? 1 : LEAF);
    above[b].push([a, shift, weight]); below[a].push([b, -shift, weight]);
  }));
  const rooms = level.rows.map(row => {
    const room = [0]; let total = 0;
    for (const [a, b] of pairs(row)) {
      total += (wide(a) + wide(b)) / 2 + (thin(a) || thin(b) ? NARROW : ACROSS);
      room.push(total);
    }
    row.forEach((v, i) => { at[v] = room[i] - total / 2; });
    return room;
  });
  const both = above.map((a, v) => a.concat(below[v])), sweeps = count < LARGE ? SWEEPS : SWEEPS / 4;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0, near = sweep >= sweeps - 2 ? both : down ? above : below;
    for (let k = 0; k < rooms.length; k++) {
      const n = down ? k : rooms.length - 1 - k;
      spread(level.rows[n], rooms[n], near, at);
    }
  }
  let low = Infinity;
  for (let v = 0; v < count; v++) low = Math.min(low, at[v] - wide(v) / 2);
  return at.map(p => p - (count ? low : 0));
}

function columns(level, depth, across, border) {
  const thick = level.rows.map(row => Math.max(0, ...row.map(v => v < depth.length ? depth[v] : 0)));
  const steep = thick.map(() => 0), middles = [];
  for (const chain of level.chains) for (const [a, b] of pairs(chain)) {
    const n = level.layer[a];
    steep[n] = Math.max(steep[n], Math.abs(across[a] - across[b]));
  }
  let end = 0;
  thick.forEach((t, n) => {
    middles.push(end + t / 2);
    end += t + (border && (n === 0 || n === thick.length - 2) ? border : ALONG) + Math.min(steep[n] / 8, WIDER);
  });
  return [middles, thick];
}

const straight = (a, b) => Math.abs(a[0] - b[0]) < 0.01 ? [] : [a, b, b];

function arc(a, right, b, left, lane) {
  const end = [Math.min(left, b[0]), b[1]], up = right + 10, down = end[0] - 10, middle = (up + down) / 2;
  return [a, ...straight(a, [right, a[1]]), [up, a[1]], [up, a[1]], [up, (a[1] + lane) / 2],
    [up, lane], [up, lane], [middle, lane], [down, lane], [down, lane], [down, (b[1] + lane) / 2],
    [down, b[1]], [down, b[1]], end, ...straight(end, b)];
}

function inside(level, extent, inner, least, direction) {
  const things = level.things, lines = things.map(isPort), ports = lines.some(x => x);
  const depth = things.map((t, i) => lines[i] ? 0 : extent[t][0]);
  const breadth = things.map((t, i) => lines[i] ? 0 : extent[t][1]);
  const aside = ([source, start, end]) => [
    inner[start] ? inner[start].at[">" + source][1] - extent[start][1] / 2 : 0,
    inner[end] ? inner[end].at["<" + source][1] - extent[end][1] / 2 : 0];
  const ends = level.pieces.map(aside), across = positions(level, breadth, lines, ends);
  const [along, thick] = columns(level, depth, across, ports ? BORDER : 0);
  let total = Math.max(0, ...across, ...breadth.map((b, v) => across[v] + b / 2));
  const last = along.length - 1, length = last >= 0 ? along[last] + thick[last] / 2 : 0;
  const lanes = LANE * level.returns.length + (level.returns.length ? LANE : 0);
  let before = 0, after = 0, top = lanes;
  if (level.box) {
    const edge = ports ? 0 : PAD;
    before = direction === "TB" ? HEADER : edge; after = direction === "BT" ? HEADER : edge;
    top += direction === "LR" || direction === "RL" ? HEADER : PAD;
    const more = Math.max(0, least[0] - length - before - after) / 2;
    before += more; after += more;
    const wider = Math.max(0, least[1] - total - top - PAD) / 2;
    top += wider; total += top + wider + PAD;
  } else total += lanes;
  const end = before + length + after, at = {}, number = {};
  things.forEach((t, v) => {
    number[t] = v;
    at[t] = [t[0] === "<" ? 0 : t[0] === ">" ? end : before + along[level.layer[v]], across[v] + top];
  });
  const curves = level.pieces.map(([, from, to], e) => {
    const chain = level.chains[e], first = chain[0], final = chain[chain.length - 1];
    const tip = inner[to] || to[0] === ">" || to[0] === "=" ? 0 : ARROW, [start, stop] = ends[e];
    const route = [[at[from][0] + depth[first] / 2, at[from][1] + start]];
    pairs(chain).forEach(([v, w], i) => {
      const n = level.layer[v], m = level.layer[w];
      const p = before + along[n] + thick[n] / 2;
      const q = before + along[m] - thick[m] / 2 - (w === final ? tip : 0);
      const here = across[v] + top + (i === 0 ? start : 0), there = across[w] + top + (w === final ? stop : 0);
      if (Math.abs(here - there) > 0.05) {
        const middle = (p + q) / 2;
        route.push(...straight(route[route.length - 1], [p, here]), [middle, here], [middle, there], [q, there]);
      }
    });
    route.push(...straight(route[route.length - 1], [at[to][0] - depth[final] / 2 - tip, at[to][1] + stop]));
    return route;
  });
  level.returns.forEach((piece, n) => {
    const [, from, to] = piece, [start, stop] = aside(piece), i = number[from], j = number[to];
    const [a, y0] = at[from], [b, y1] = at[to], tip = inner[to] ? 0 : ARROW, l = level.layer;
    curves.push(arc([a + depth[i] / 2, y0 + start], before + along[l[i]] + thick[l[i]] / 2,
      [b - depth[j] / 2 - tip, y1 + stop], before + along[l[j]] - thick[l[j]] / 2, top - LANE * (n + 0.6)));
  });
  return {size: [end, total], at, curves};
}

function place(data, closed) {
  const flat = data.direction === "LR" || data.direction === "RL";
  const back = data.direction === "RL" || data.direction === "BT";
  const flip = ([w, h]) => flat ? [w, h] : [h, w], extent = {}, inner = {}, corner = {"": [0, 0]};
  const result = {centre: {}, box: {}, route: []};
  for (const key in data.size) extent[key] = flip(data.size[key]);
  const hidden = box => { for (; box; box = data.parent[box]) if (closed.has(box)) return true; return false; };
  const levels = data.levels.filter(level => !hidden(level.box));
  for (const level of levels) {
    const least = level.box ? flip(data.least[level.box]) : [0, 0];
    inner[level.box] = inside(level, extent, inner, least, data.direction);
    extent[level.box] = inner[level.box].size;
  }
  const [length, breadth] = extent[""];
  const turn = (a, c) => { a = back ? length - a : a; return flat ? [a, c] : [c, a]; };
  for (const level of levels.slice().reverse()) {
    const [x, y] = corner[level.box], at = inner[level.box].at;
    for (const t in at) {
      if (isPort(t)) continue;
      const [a, c] = [at[t][0] + x, at[t][1] + y];
      result.centre[t] = turn(a, c);
      if (inner[t]) {
        const [l, b] = extent[t], [x0, y0] = corner[t] = [a - l / 2, c - b / 2];
        const [p, q] = turn(x0, y0), [r, s] = turn(x0 + l, y0 + b);
        result.box[t] = [Math.min(p, r), Math.min(q, s), Math.abs(r - p), Math.abs(s - q)];
      }
    }
  }
  const total = {}, seen = {};
  for (const [a, b, , , r] of data.edges) total[a + " " + b + r] = (total[a + " " + b + r] || 0) + 1;
  for (const [a, b, way, , r] of data.edges) {
    const key = a + " " + b + r, n = seen[key] = (seen[key] || 0) + 1;
    const shift = (n - 1 - (total[key] - 1) / 2) * Math.min(BESIDE, 20 / total[key]);
    const visible = way.filter(([n]) => inner[data.levels[n].box]);
    // The level that both ends share is the outermost of its way: without it nothing is to be seen.
    const route = [];
    for (const [n, e] of visible) {
      const box = data.levels[n].box, [x, y] = corner[box];
      const curve = inner[box].curves[e].map(([a, c]) => [a + x, c + y + shift]);
      route.push(...(route.length ? straight(route[route.length - 1], curve[0]) : []), ...(route.length ? curve.slice(1) : curve));
    }
    result.route.push(route.map(([a, c]) => turn(a, c)));
  }
  [result.width, result.height] = flip([length, breadth]);
  return result;
}

if (typeof module === "object" && module && typeof document === "undefined") module.exports = {place};
