// What every part of the page needs: text, elements, lists that keep their elements, and the watch's clock.

/// Names come from brokers: what would turn the writing direction or hide letters is shown as U+FFFD. Text becomes a text
/// node always, markup never.
export const plain = (text) =>
  String(text).replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, "\ufffd");

export const find = (id) => document.getElementById(id);

/// A new element; children that are no elements become text.
export const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : plain(value));
  element.append(...children.map((child) => child instanceof Node ? child : plain(child)));
  return element;
};

/// Changes the text only if it is another one, so that nothing flickers and nothing is announced twice.
export const say = (element, text) => {
  const words = plain(text);
  if (element.textContent !== words) element.textContent = words;
};

export const mark = (element, name, value) => {
  if (value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== plain(value)) element.setAttribute(name, plain(value));
};

/// Makes the children of `parent` stand for `items`, in their order; who stays keeps its element, and the focus in it.
export const keep = (parent, items, keyOf, create, update) => {
  const old = new Map([...parent.children].map((child) => [child.itemKey, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = old.get(key);
    if (child) old.delete(key);
    else {
      child = create(item);
      child.itemKey = key;
    }
    update?.(child, item);
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  for (const child of old.values()) child.remove();
};

/// As `DurationText.short` says it.
export const short = (milliseconds) => {
  const tenths = Math.floor(Math.max(0, milliseconds) / 100);
  const seconds = Math.floor(tenths / 10);
  if (seconds < 10) return `${seconds}.${tenths % 10} s`;
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds / 60) % 60} m`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
};

export const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

export const listed = (words) =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

export const rate = (value) => value >= 100 ? Math.round(value).toLocaleString("en") : (Math.round(value * 10) / 10).toFixed(1);

/// The watch's own time in milliseconds. It stands while the watch is lost: then nobody knows.
export const clock = {
  base: 0, at: 0, stopped: undefined,
  set(time) { [this.base, this.at, this.stopped] = [time, performance.now(), undefined]; },
  stop() { this.stopped ??= this.now(); },
  now() { return this.stopped ?? this.base + (this.at ? performance.now() - this.at : 0); },
};
