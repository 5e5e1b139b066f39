// Brokers × nodes. Only the rows that can be seen have elements, so that ten thousand brokers cost what forty cost.

import { clock, counted, find, make, mark, plain, say, short } from "./words.js";

const rowHeight = 34;
const spare = 6;
/// How long a broker that no node lists any more is still shown.
const ghostLife = 60_000;

const box = find("matrix");
const heads = find("heads");
const body = find("rows");
const strip = find("strip");
const above = make("tr", { "aria-hidden": "true", class: "space" }, make("td"));
const below = make("tr", { "aria-hidden": "true", class: "space" }, make("td"));

let nodes = [];
let rows = new Map();
let shown = [];
let pool = [];
let active = { row: 0, column: 0 };
let onExplain = () => {};
let isCut = () => false;

/// How a cell is told: in a word, a sign, a class for its colour, and what it means at length.
export const reading = (cell, now) => {
  const [kind, heardAt, timeout, heldUntil, origin] = cell;
  const age = heardAt == null ? undefined : Math.max(0, now - heardAt);
  switch (kind) {
    case "heard": {
      const share = age / timeout;
      // As Lateness.limit in ClusterView: five sixteenths of the timeout.
      if (age > Math.floor(timeout / 16) * 5)
        return { look: share > 0.75 ? "late very" : "late", sign: "▲", text: short(age), word: "late", age, share };
      return { look: `a${share < 0.08 ? 0 : share < 0.17 ? 1 : 2}`, sign: "", text: short(age), word: "heard", age, share };
    }
    case "protected":
      return { look: "protected", sign: "◆", text: short(age), word: "protected", age, share: 1 };
    case "learned": return { look: "learned", sign: "◇", text: age === undefined ? "learned" : short(age), word: "learned", age };
    case "missing": return { look: "missing", sign: "✕", text: "missing", word: "missing" };
    case "gone": return { look: "gone", sign: "–", text: "left", word: "gone from every node" };
    case "listed": return { look: "a1", sign: "", text: "listed", word: "listed" };
    default: return { look: "unknown", sign: "?", text: "", word: "unknown" };
  }
};

const needsAttention = (row, now) =>
  row.cells.some((cell) => !["heard", "listed", "unknown"].includes(cell[0]) || reading(cell, now).word === "late");

const byName = (one, other) =>
  one.cluster < other.cluster ? -1 : one.cluster > other.cluster ? 1
    : one.name < other.name ? -1 : one.name > other.name ? 1 : one.id - other.id;

// MARK: Data

/// Takes what a round says of brokers.
export const take = (round) => {
  if (round.whole) rows = new Map();
  const names = round.nodes.map((node) => node.name);
  if (names.join("\n") !== nodes.map((node) => node.name).join("\n")) makeHeads(names);
  nodes = round.nodes;
  for (const [number, cluster, name, id, address, topics, cells] of round.rows ?? [])
    rows.set(number, { number, cluster, name, id, address, topics, cells });
  for (const [number, column, cell] of round.cells ?? []) if (rows.has(number)) rows.get(number).cells[column] = cell;
  for (const number of round.gone ?? []) {
    const row = rows.get(number);
    if (row) [row.goneAt, row.cells] = [round.t, row.cells.map(() => ["gone"])];
  }
  dropGhosts(round);
  nodes.forEach((node, index) => {
    const head = heads.children[index + 3];
    mark(head, "class", node.up ? "node" : "node down");
  });
  arrange(Boolean(round.rows || round.gone || round.whole || hasFewer));
  hasFewer = false;
};

/// Who has been gone for long, or is back, needs no ghost.
const dropGhosts = (round) => {
  const back = new Set((round.rows ?? []).map(([, cluster, name, id]) => JSON.stringify([cluster, name, id])));
  for (const row of [...rows.values()])
    if (row.goneAt !== undefined && (round.t - row.goneAt > ghostLife || back.has(JSON.stringify([row.cluster, row.name, row.id])))) {
      rows.delete(row.number);
      hasFewer = true;
    }
};
let hasFewer = false;

export const tally = () => {
  const now = clock.now();
  const counts = { heard: 0, late: 0, protected: 0, learned: 0, missing: 0, unknown: 0, listed: 0 };
  let brokers = 0;
  for (const row of rows.values()) {
    if (row.goneAt !== undefined) continue;
    brokers += 1;
    for (const cell of row.cells) counts[reading(cell, now).word] += 1;
  }
  return { brokers, ...counts };
};

let filter = "";
let onlyAttention = false;
let isSorted = [];

const arrange = (isOther = true) => {
  if (isOther) isSorted = [...rows.values()].sort(byName);
  const now = clock.now();
  shown = isSorted.filter((row) =>
    (!filter || `${row.name}:${row.id} ${row.cluster} ${row.address}`.toLowerCase().includes(filter))
    && (!onlyAttention || needsAttention(row, now)));
  draw();
};

find("find").addEventListener("input", (event) => {
  filter = event.target.value.trim().toLowerCase();
  box.scrollTop = 0;
  arrange();
});
find("attention").addEventListener("change", (event) => {
  onlyAttention = event.target.checked;
  arrange();
});

/// What to do when a cell is chosen, and which cells belong to a cut link.
export const begin = (explain, cut) => [onExplain, isCut] = [explain, cut];

// MARK: Drawing

const makeHeads = (names) => {
  heads.replaceChildren(
    ...["Broker", "Role", "Address"].map((text) => make("th", { scope: "col" }, text)),
    ...names.map((name) => make("th", { scope: "col", class: "node" }, name)));
  pool = [];
  body.replaceChildren(above, below);
};

const makeRow = () => {
  const row = make("tr", {}, make("th", { scope: "row" }, make("span", { class: "name" }), make("span", { class: "id" })),
    make("td", { class: "role" }), make("td", { class: "address" }));
  nodes.forEach((_, column) => {
    const button = make("button", { type: "button", tabindex: "-1" },
      make("span", { class: "sign", "aria-hidden": "true" }), make("span", { class: "text" }), make("span", { class: "gauge", "aria-hidden": "true" }));
    button.dataset.column = column;
    row.append(make("td", { class: "cell" }, button));
  });
  return row;
};

/// Draws the rows that can be seen.
export const draw = () => {
  const height = Math.min(shown.length * rowHeight, Math.max(rowHeight * 6, innerHeight * 0.62)) + heads.offsetHeight;
  box.style.height = `${Math.ceil(height) + 2}px`;
  const first = Math.max(0, Math.min(Math.floor(box.scrollTop / rowHeight) - spare, shown.length));
  const count = Math.min(shown.length - first, Math.ceil(height / rowHeight) + 2 * spare);
  while (pool.length < count) {
    const row = makeRow();
    pool.push(row);
    body.insertBefore(row, below);
  }
  while (pool.length > count) pool.pop().remove();
  above.firstChild.style.height = `${first * rowHeight}px`;
  below.firstChild.style.height = `${Math.max(0, shown.length - first - count) * rowHeight}px`;
  mark(box.firstElementChild, "aria-rowcount", shown.length + 1);
  const hadFocus = document.activeElement?.closest?.("#rows") !== null && document.activeElement?.closest?.("#rows") !== undefined;
  active.row = Math.max(0, Math.min(active.row, shown.length - 1));
  active.column = Math.max(0, Math.min(active.column, nodes.length - 1));
  const now = clock.now();
  pool.forEach((element, index) => drawRow(element, first + index, now));
  if (hadFocus) focusActive(false);
  drawStrip(now);
};

const drawRow = (element, index, now) => {
  const row = shown[index];
  mark(element, "aria-rowindex", index + 2);
  const [head, role, address] = element.children;
  say(head.children[0], row.name);
  say(head.children[1], `:${row.id}`);
  mark(element, "class", row.goneAt === undefined ? false : "ghost");
  mark(head, "title", `${row.name}:${row.id}, cluster ${row.cluster}${row.topics == null ? "" : `, ${counted(row.topics, "topic")}`}`);
  say(role, row.id === 0 ? "master" : "slave");
  say(address, row.address);
  row.cells.forEach((cell, column) => {
    const button = element.children[column + 3]?.firstElementChild;
    if (!button) return;
    const told = reading(cell, now);
    const cut = isCut(`${row.name}:${row.id}`, nodes[column].name);
    mark(button, "class", told.look + (cut ? " cut" : ""));
    say(button.children[0], cut ? `✂${told.sign}` : told.sign);
    say(button.children[1], told.text);
    button.children[2].style.width = told.share === undefined ? "0" : `${Math.min(100, told.share * 100).toFixed(1)}%`;
    mark(button, "aria-label",
      `${row.name}:${row.id} at ${nodes[column].name}: ${told.word}${told.age === undefined ? "" : `, ${short(told.age)} ago`}${cut ? ", its link is cut" : ""}`);
    const isActive = index === active.row && column === active.column;
    mark(button, "tabindex", isActive ? "0" : "-1");
    button.dataset.row = index;
  });
};

/// One small mark for each cell of the whole table: a thousand brokers at one glance.
const drawStrip = (now) => {
  const isWanted = shown.length > 24;
  strip.hidden = !isWanted;
  if (!isWanted) return;
  const scale = devicePixelRatio || 1;
  const width = Math.max(1, Math.floor(strip.clientWidth * scale));
  const lane = Math.max(4, Math.floor(12 * scale));
  if (strip.width !== width || strip.height !== lane * nodes.length) [strip.width, strip.height] = [width, lane * nodes.length];
  const pen = strip.getContext("2d");
  pen.clearRect(0, 0, strip.width, strip.height);
  const look = getComputedStyle(document.documentElement);
  const colours = new Map();
  const colour = (name) => {
    if (!colours.has(name)) colours.set(name, look.getPropertyValue(`--${name}`).trim());
    return colours.get(name);
  };
  const step = width / shown.length;
  const weight = (told) => ["missing", "late", "protected", "learned", "unknown"].indexOf(told.word);
  for (let lane_ = 0; lane_ < nodes.length; lane_ += 1) {
    // With more brokers than pixels, the gravest of those that share one is drawn.
    let column = -1, told;
    const paint = () => {
      if (!told) return;
      const isBad = weight(told) >= 0;
      pen.fillStyle = colour(told.look.split(" ")[0]);
      const x = Math.floor(column), end = Math.max(x + 1, Math.floor(column + Math.max(1, step)) - (step > 4 * scale ? 1 : 0));
      pen.fillRect(x, lane_ * lane + (isBad ? 0 : Math.floor(lane * 0.3)), end - x, isBad ? lane - 1 : Math.floor(lane * 0.5));
    };
    shown.forEach((row, index) => {
      const next = reading(row.cells[lane_] ?? ["unknown"], now);
      const place = index * step;
      if (told && Math.floor(place) === Math.floor(column)) {
        const [was, is] = [weight(told), weight(next)];
        if (is >= 0 && (was < 0 || is < was)) told = next;
        return;
      }
      paint();
      [column, told] = [place, next];
    });
    paint();
  }
  mark(strip, "aria-label", `All ${shown.length} brokers by node; the table below has them in words`);
};

strip.addEventListener("click", (event) => {
  const index = Math.floor(event.offsetX / strip.clientWidth * shown.length);
  const lane = Math.floor(event.offsetY / strip.clientHeight * nodes.length);
  active = { row: index, column: Math.max(0, Math.min(lane, nodes.length - 1)) };
  box.scrollTop = index * rowHeight - box.clientHeight / 2;
  draw();
  focusActive(true);
});

// MARK: Keyboard and pointer

const focusActive = (mayScroll) => {
  if (mayScroll) {
    const top = active.row * rowHeight;
    const room = box.clientHeight - heads.offsetHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + rowHeight > box.scrollTop + room) box.scrollTop = top + rowHeight - room;
    draw();
  }
  const button = body.querySelector(`button[data-row="${active.row}"][data-column="${active.column}"]`);
  // Scrolled away, the focus waits at the box: the next arrow key brings it back.
  (button ?? box).focus({ preventScroll: true });
};

const chosen = () => shown[active.row] && onExplain(shown[active.row], nodes[active.column]?.name);

box.addEventListener("keydown", (event) => {
  const page = Math.max(1, Math.floor((box.clientHeight - heads.offsetHeight) / rowHeight) - 1);
  const moves = {
    ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-page, 0], PageDown: [page, 0],
    Home: event.ctrlKey ? [-shown.length, -nodes.length] : [0, -nodes.length],
    End: event.ctrlKey ? [shown.length, nodes.length] : [0, nodes.length],
  };
  const move = moves[event.key];
  if (!move || !shown.length) return;
  event.preventDefault();
  active = {
    row: Math.max(0, Math.min(shown.length - 1, active.row + move[0])),
    column: Math.max(0, Math.min(nodes.length - 1, active.column + move[1])),
  };
  focusActive(true);
});

body.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  active = { row: Number(button.dataset.row), column: Number(button.dataset.column) };
  draw();
  focusActive(false);
  chosen();
});

let isDue = false;
const drawSoon = () => {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    draw();
  });
};
box.addEventListener("scroll", drawSoon, { passive: true });
addEventListener("resize", drawSoon);
