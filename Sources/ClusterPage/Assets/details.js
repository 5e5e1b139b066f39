// What is asked for: why each node serves a broker, which topics there are, and where their routes lead.

import { counted, find, keep, listed, make, plain, say } from "./words.js";

const ask = async (part, parameters) => {
  const answer = await fetch(`page/${part}?${new URLSearchParams(parameters)}`);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error ?? `status ${answer.status}`);
  return content;
};

// MARK: Why

const dialog = find("why");
let asked;

/// Opens the explanation of a replica, as one node's cell or all of them.
export const explain = (row, node) => {
  asked = { name: row.name, id: row.id, node };
  say(find("why-title"), `${row.name}:${row.id}`);
  find("why-body").replaceChildren(make("p", { class: "hint" }, "asking"));
  if (!dialog.open) dialog.showModal();
  refresh();
};

/// Asks again, while the explanation is open.
export const refresh = async () => {
  if (!dialog.open || !asked) return;
  const { name, id, node } = asked;
  try {
    const found = await ask("explain", { broker: `${name}:${id}` });
    if (asked?.name !== name || asked.id !== id) return;
    const replica = found.replicas.find((one) => one.id === id);
    if (!replica) throw new Error("no node knows it any more");
    const place = make("p", { class: "hint" },
      `${id === 0 ? "master" : "slave"} at ${replica.address ?? "?"}, cluster ${replica.cluster ?? "?"}`);
    const rows = replica.nodes.map((one) => {
      const serves = one.serves === undefined ? "?" : one.serves ? "yes" : "no";
      const other = one.address && one.address !== replica.address ? ` (at ${one.address})` : "";
      return make("tr", one.node === node ? { class: "chosen" } : {}, make("th", { scope: "row" }, one.node),
        make("td", { class: `serves ${serves === "?" ? "unknown" : serves}` }, serves), make("td", {}, one.why + other));
    });
    const table = make("table", { class: "plain" },
      make("thead", {}, make("tr", {}, ...["Node", "Sends clients", "Why"].map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows));
    find("why-body").replaceChildren(place, table);
  } catch (error) {
    find("why-body").replaceChildren(make("p", { class: "bad" }, `No explanation: ${error.message}`));
  }
};

// The event comes later than the closing; by then another explanation may have been opened.
dialog.addEventListener("close", () => { if (!dialog.open) asked = undefined; });
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

// MARK: Topics

const field = find("topic");
const list = find("topic-list");
const route = find("route");
let search = 0;
let timer;

/// Lists the topics whose names hold what stands in the field.
export const searchTopics = async () => {
  const mine = ++search;
  try {
    const found = await ask("topics", { search: field.value.trim() });
    if (mine !== search) return;
    const rest = found.count - found.topics.length;
    say(find("topic-count"), `${counted(found.count, "topic")} at ${found.node}${rest > 0 ? `, the first ${found.topics.length} shown` : ""}`);
    keep(list, found.topics, (name) => name, (name) => {
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => showRoute(name));
      return make("li", {}, button);
    });
  } catch (error) {
    if (mine === search) say(find("topic-count"), `No list of topics: ${error.message}`);
  }
};

field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(searchTopics, 250);
});
field.addEventListener("focus", () => { if (!list.children.length) searchTopics(); });

const permission = (bits) => [[4, "r"], [2, "w"], [1, "x"]].map(([bit, letter]) => bits & bit ? letter : "-").join("");

const routeTable = (answer) => {
  const rows = answer.queues.map((queue) => make("tr", {},
    make("th", { scope: "row" }, queue.broker), make("td", {}, queue.cluster ?? ""),
    make("td", { class: "number" }, queue.read), make("td", { class: "number" }, queue.write),
    make("td", {}, make("code", {}, permission(queue.perm))),
    make("td", {}, queue.replicas.map(([id, address]) => `${id === 0 ? "master" : `slave ${id}`} ${address}`).join(", ") || "no address")));
  return make("table", { class: "plain" },
    make("thead", {}, make("tr", {},
      ...["Broker", "Cluster", "Read queues", "Write queues", "Permission", "Addresses"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows));
};

const showRoute = async (topic) => {
  for (const button of list.querySelectorAll("button"))
    button.toggleAttribute("aria-current", button.textContent === plain(topic));
  try {
    const answer = await ask("route", { topic });
    // Nodes that say the same stand together.
    const groups = new Map();
    for (const { node, ...said } of answer.nodes) {
      const key = JSON.stringify(said);
      if (!groups.has(key)) groups.set(key, { said, nodes: [] });
      groups.get(key).nodes.push(node);
    }
    const isOne = groups.size === 1;
    const parts = [make("h3", {}, topic)];
    for (const { said, nodes } of [...groups.values()].sort((one, other) => other.nodes.length - one.nodes.length)) {
      const who = isOne && nodes.length > 1 ? `All ${nodes.length} nodes tell clients:` : `${listed(nodes)} ${nodes.length === 1 ? "tells" : "tell"} clients:`;
      parts.push(make("p", { class: isOne ? "hint" : "hint odd" }, who));
      parts.push(said.queues ? routeTable(said) : make("p", { class: "bad" }, said.error));
      if (said.order) parts.push(make("p", { class: "hint" }, `ordered: ${said.order}`));
    }
    route.replaceChildren(...parts);
  } catch (error) {
    route.replaceChildren(make("h3", {}, topic), make("p", { class: "bad" }, `No route: ${error.message}`));
  }
};
