// The stream of what the nodes say, and the parts of the page that are told of it.

import { Chart } from "./charts.js";
import * as details from "./details.js";
import * as matrix from "./matrix.js";
import * as switches from "./switches.js";
import { clock, counted, find, keep, listed, make, mark, plain, rate, say, short } from "./words.js";

/// Lines of events kept on the page.
const eventLimit = 300;
/// How long a healed difference is still shown.
const healedLife = 60_000;

let hello = { interval: 1000 };
let nodes = [];
let differences = [];
let differenceCount = 0;
let healed = [];
let hasTopics = false;

const charts = [new Chart("lookups", "Lookups per second"), new Chart("registrations", "Registrations and heartbeats per second")];

// MARK: Nodes

const makeNode = () => make("li", { class: "card" },
  make("h3", {}, make("span", { class: "sign", "aria-hidden": "true" }), make("span", { class: "name" }), make("span", { class: "badge" })),
  make("p", { class: "hint" }), make("dl"), make("ul", { class: "peers" }));

const facts = (node) => [
  ["gossip", node.mode ?? "off"], ["up", short(node.uptime ?? 0)], ["brokers", node.brokers ?? "–"], ["topics", node.topics ?? "–"],
  ["lookups/s", rate((node.lookups ?? 0) / 1000)], ["heartbeats/s", rate((node.registrations ?? 0) / 1000)],
];

/// The look, the sign and the word of a node.
const nodeState = (node) => {
  if (!node.up) return ["down", "✕", "down"];
  const state = node.state ?? "up";
  if (node.differs.length) return ["differs", "▲", state === "ready" || state === "up" ? "differs" : state];
  return ["ready", "up"].includes(state) ? ["good", "✓", state] : ["odd", "●", state];
};

const showNodes = () => keep(find("nodes"), nodes, (node) => node.name, makeNode, showNode);

const showNode = (card, node) => {
  const [look, sign, word] = nodeState(node);
  mark(card, "class", `card ${look}`);
  const [title, place, list, peers] = card.children;
  say(title.children[0], sign);
  say(title.children[1], node.name);
  say(title.children[2], word);
  say(place, node.up ? `${node.address}${node.differs.length ? ` · differs from ${listed(node.differs)}` : ""}` : `${node.address}: ${node.error ?? "no answer"}`);
  list.hidden = peers.hidden = !node.up;
  if (!node.up) return;
  keep(list, facts(node), ([name]) => name, ([name]) => make("div", {}, make("dt", {}, name), make("dd")),
    (element, [, value]) => say(element.lastChild, value));
  keep(peers, node.peers, (peer) => peer.name, () => make("li"), (element, peer) => {
    const works = peer.up ? (peer.agrees === false ? "differs" : "good") : "down";
    mark(element, "class", works);
    const time = peer.up && peer.micros !== undefined ? ` ${(peer.micros / 1000).toFixed(1)} ms` : "";
    const cut = switches.isCut(node.name, peer.name) ? "✂" : "";
    say(element, `${cut}${{ good: "✓", differs: "▲", down: "✕" }[works]} ${peer.name}${peer.up ? time : ": no session"}`);
    mark(element, "title", peer.problem ?? (peer.up ? `agrees: ${peer.agrees === undefined ? "not known yet" : peer.agrees ? "yes" : "no"}` : "no gossip session"));
  });
};

// MARK: Differences

const showDifferences = () => {
  const now = clock.now();
  healed = healed.filter((one) => now - one.at < healedLife);
  const items = [
    ...differences.map((one) => ({ key: `${one.kind} ${one.subject}`, ...one })),
    ...healed.map((one) => ({ key: `healed ${one.at} ${one.kind} ${one.subject}`, ...one })),
  ];
  const rest = differenceCount - differences.length;
  if (rest > 0) items.push({ key: "rest", rest });
  if (!items.length) items.push({ key: "none" });
  keep(find("differences"), items, (item) => item.key, () => make("li", {}, make("p", { class: "what" }), make("p"), make("p", { class: "hint" })),
    (element, item) => {
      const [what, text, advice] = element.children;
      if (item.key === "none") {
        mark(element, "class", "none");
        say(what, nodes.length > 1 ? "✓ None: all nodes that answer list the same." : "One node alone has nobody to differ from.");
        return;
      }
      if (item.rest) return say(what, `and ${item.rest} more: hearsay diff lists all`);
      if (item.at !== undefined) {
        mark(element, "class", "healed");
        say(what, `✓ healed ${item.kind} ${item.subject}`);
        say(text, `${short(now - item.at)} ago${item.since === undefined ? "" : `, after ${short(item.at - item.since)}`}`);
        return;
      }
      mark(element, "class", `open ${item.kind}`);
      say(what, `▲ ${item.kind} ${item.subject}${item.since === undefined ? "" : ` for ${short(now - item.since)}`}`);
      say(text, item.text);
      say(advice, `→ ${item.advice}`);
    });
};

const takeDifferences = (round) => {
  // Another watch has another clock.
  if (round.whole) healed = [];
  if (!round.differences) return;
  const isUp = new Set(round.nodes.filter((node) => node.up).map((node) => node.name));
  const found = new Set(round.differences.map((one) => `${one.kind} ${one.subject}`));
  const subjects = new Set(round.differences.map((one) => one.subject));
  if (!round.whole && round.differenceCount === round.differences.length)
    for (const one of differences)
      // What ends because a node no longer answers has not healed; what is late may have become missing.
      if (!found.has(`${one.kind} ${one.subject}`) && !subjects.has(one.subject) && one.there.every((name) => isUp.has(name)))
        healed.unshift({ ...one, at: round.t });
  healed = healed.slice(0, 50);
  differences = round.differences;
  differenceCount = round.differenceCount;
};

// MARK: Verdict

const verdict = (look, sign, text) => {
  mark(find("verdict"), "class", `verdict ${look}`);
  say(find("verdict").children[0], sign);
  say(find("verdict-text"), text);
  document.title = `${sign} ${plain(hello.cluster || "Hearsay")}`;
};

const judge = () => {
  const down = nodes.filter((node) => !node.up);
  const counts = matrix.tally();
  const words = [];
  for (const [word, sign] of [["late", "▲"], ["missing", "✕"], ["protected", "◆"], ["learned", "◇"]])
    if (counts[word]) words.push(`${sign} ${counts[word].toLocaleString("en")} ${word}`);
  say(find("counts"), `${counted(counts.brokers, "broker")} × ${counted(nodes.length, "node")}${words.length ? `: ${words.join(", ")}` : counts.brokers ? ": all heard" : ""}`);
  const count = differenceCount;
  if (down.length === nodes.length) return verdict("bad", "✕", "No node answers");
  if (down.length)
    return verdict("bad", "✕", `${down.length} of ${counted(nodes.length, "node")} ${down.length === 1 ? "does" : "do"} not answer: ${listed(down.map((node) => node.name))}${count ? `; ${counted(count, "difference")}` : ""}`);
  if (count) return verdict("warn", "▲", `${counted(count, "difference")} between the nodes`);
  const odd = nodes.filter((node) => nodeState(node)[0] === "odd");
  if (odd.length) return verdict("warn", "●", `${listed(odd.map((node) => `${node.name} is ${node.state}`))}`);
  if (!counts.brokers) return verdict("wait", "○", nodes.length === 1 ? `${nodes[0].name} answers; no broker is registered` : `All ${nodes.length} nodes answer; no broker is registered`);
  if (counts.late) return verdict("warn", "▲", `${counted(counts.late, "heartbeat")} late`);
  verdict("good", "✓", nodes.length === 1 ? `${nodes[0].name} hears ${counted(counts.brokers, "broker")}` : `All ${nodes.length} nodes agree on ${counted(counts.brokers, "broker")}`);
};

// MARK: Events

const takeEvents = (lines, isWhole) => {
  const list = find("events");
  if (isWhole) list.replaceChildren();
  const looks = [["DIVERGENCE", "bad"], ["HEALED", "good"], [" down: ", "bad"], [" removed: ", "bad"], [" registered", "good"], [" up", "good"]];
  for (const line of lines.slice(-eventLimit)) {
    const look = looks.find(([words]) => line.includes(words))?.[1] ?? "";
    list.prepend(make("li", { class: look }, make("time", {}, line.slice(0, 8)), line.slice(8)));
  }
  while (list.children.length > eventLimit) list.lastChild.remove();
};

// MARK: The stream

const takeRound = (round) => {
  clock.set(round.t);
  nodes = round.nodes;
  showNodes();
  takeDifferences(round);
  matrix.take(round);
  showDifferences();
  judge();
  if (round.events || round.whole) takeEvents(round.events ?? [], round.whole);
  const names = nodes.map((node) => node.name);
  charts[0].add(round.t, names, nodes.map((node) => node.up ? (node.lookups ?? 0) / 1000 : undefined));
  charts[1].add(round.t, names, nodes.map((node) => node.up ? (node.registrations ?? 0) / 1000 : undefined));
  details.refresh();
  if (!hasTopics && nodes.some((node) => node.topics > 0 && node.topics <= 5000)) {
    hasTopics = true;
    details.searchTopics();
  }
};

let stream;
let heardAt = performance.now();

const lose = () => {
  if (document.body.classList.contains("lost")) return;
  clock.stop();
  document.body.classList.add("lost");
  verdict("lost", "⚠", "Connection lost: nothing below is current");
};

const connect = () => {
  stream?.close();
  stream = new EventSource("page/stream");
  heardAt = performance.now();
  const on = (name, take) => stream.addEventListener(name, (event) => {
    heardAt = performance.now();
    take(JSON.parse(event.data));
  });
  on("hello", (words) => {
    hello = words;
    say(find("cluster"), words.cluster);
    say(find("server"), words.server);
    say(find("pace"), words.interval === 1000 ? "once a second" : `every ${short(words.interval)}`);
    switches.allow(words.token);
    find("own").hidden = Boolean(words.token);
  });
  on("switches", (positions) => {
    switches.take(positions);
    showNodes();
    matrix.draw();
  });
  on("round", (round) => {
    document.body.classList.remove("lost");
    takeRound(round);
    say(find("link"), `live, every ${short(hello.interval)}`);
  });
  stream.onerror = lose;
};

// The browser dials again by itself, but not after a refusal, and it does not notice a peer that is silent.
setInterval(() => {
  const silence = performance.now() - heardAt;
  if (silence > 3 * hello.interval + 3000) lose();
  const isLost = document.body.classList.contains("lost");
  if (isLost) say(find("link"), `last heard ${short(silence)} ago, dialling again`);
  if ((isLost && stream.readyState === EventSource.CLOSED) || silence > 3 * hello.interval + 10_000) connect();
  else if (!isLost && nodes.length) matrix.draw();
}, 1000);

matrix.begin(details.explain, switches.isCut);
connect();
