// `hearsay run` only: links that can be cut, processes that can be paused, killed and started again.

import { find, keep, make, mark, say } from "./words.js";

let token;
let positions = { parties: [], links: [], cuts: [] };
let links = new Set();
let cuts = new Set();

const key = (from, to) => JSON.stringify([from, to]);

/// Whether one of a broker's and a node's links to each other is cut.
export const isCut = (broker, node) => cuts.has(key(broker, node)) || cuts.has(key(node, broker));
export const isAnyCut = () => cuts.size > 0;

export const allow = (word) => {
  token = word;
  find("switches").hidden = !word;
};

const change = async (parameters) => {
  try {
    const answer = await fetch(`page/switch?${new URLSearchParams(parameters)}`, { method: "POST", headers: { "X-Hearsay-Token": token } });
    say(find("switch-answer"), answer.ok ? "" : `Not done: ${(await answer.json()).error ?? answer.status}`);
  } catch (error) {
    say(find("switch-answer"), `Not done: ${error.message}`);
  }
};

const toggle = (from, to, arrow) => {
  const button = make("button", { type: "button", class: "toggle", "aria-pressed": "false" }, arrow);
  button.addEventListener("click", () => change({ do: cuts.has(key(from, to)) ? "heal" : "cut", from, to }));
  button.show = () => {
    const is = cuts.has(key(from, to));
    mark(button, "aria-pressed", String(is));
    mark(button, "aria-label", `Link from ${from} to ${to}: ${is ? "cut; heal it" : "works; cut it"}`);
    mark(button, "title", `${from} → ${to}: ${is ? "cut" : "works"}`);
    say(button, is ? "✂" : arrow);
  };
  return button;
};

const action = (label, name) => {
  const button = make("button", { type: "button", class: "act" }, label);
  button.show = (text, what, isOff) => {
    say(button, text);
    mark(button, "aria-label", `${what} ${name}`);
    button.deed = what;
    button.disabled = isOff;
  };
  button.addEventListener("click", () => change({ do: button.deed, process: name }));
  return button;
};

const makeRow = (party, nodes) => {
  const pause = action("", party.name);
  const kill = action("", party.name);
  const state = make("span", { class: "state" });
  const row = make("tr", {}, make("th", { scope: "row" }, party.name), make("td", {}, state), make("td", {}, pause, kill));
  const toggles = [];
  for (const node of nodes) {
    const cell = make("td", { class: "pair" });
    for (const [from, to, arrow] of [[party.name, node.name, "→"], [node.name, party.name, "←"]]) {
      if (!links.has(key(from, to))) continue;
      // Between two nodes each direction has its switch in the sender's row.
      if (party.node && arrow === "←") continue;
      const button = toggle(from, to, arrow);
      toggles.push(button);
      cell.append(button);
    }
    if (!cell.childNodes.length) cell.append(make("span", { class: "none", "aria-hidden": "true" }, "·"));
    row.append(cell);
  }
  row.show = (now) => {
    const words = { up: "runs", paused: "paused", down: "down" };
    say(state, words[now.state]);
    mark(state, "class", `state ${now.state}`);
    pause.show(now.state === "paused" ? "Resume" : "Pause", now.state === "paused" ? "resume" : "pause", now.state === "down");
    kill.show(now.state === "down" ? "Start" : "Kill", now.state === "down" ? "restart" : "kill", false);
    for (const button of toggles) button.show();
  };
  return row;
};

/// Takes how everything is.
export const take = (now) => {
  positions = now;
  links = new Set(now.links.map(([from, to]) => key(from, to)));
  cuts = new Set(now.cuts.map(([from, to]) => key(from, to)));
  const nodes = now.parties.filter((party) => party.node);
  keep(find("board-heads"), ["Process", "State", "", ...nodes.map((node) => node.name)].map((text, place) => ({ text, place })),
    ({ text, place }) => `${place} ${text}`, ({ text }) => make(text ? "th" : "td", text ? { scope: "col" } : {}, text));
  const parties = [...now.parties.filter((party) => !party.node), ...nodes];
  keep(find("board-rows"), parties, (party) => `${party.name} ${nodes.length}`, (party) => makeRow(party, nodes), (row, party) => row.show(party));
  find("heal").disabled = cuts.size === 0;
  find("legend-cut").hidden = cuts.size === 0;
};

find("heal").addEventListener("click", () => change({ do: "healAll" }));
