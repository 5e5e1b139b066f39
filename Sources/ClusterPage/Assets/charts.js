// Two small line charts of the last five minutes, one line a node, drawn from the nodes' own counters.

import { make, mark, plain, rate, say, find } from "./words.js";

const span = 300_000;
/// What is drawn is the mean over so much time: heartbeats come in beats.
const beat = 5_000;
/// Lines told apart by colour and by dashes; more nodes than this are summed up in one line.
const lineLimit = 6;
const size = { width: 640, height: 150, left: 44, right: 96, top: 10, bottom: 18 };

const svg = (tag, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};

/// The next number of 1, 2 or 5 and zeros.
const ceiling = (value) => {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value);
};

export class Chart {
  constructor(id, what) {
    this.place = find(id);
    this.what = what;
    this.samples = [];
    this.raw = [];
    this.picture = svg("svg", { viewBox: `0 0 ${size.width} ${size.height}`, role: "img", class: "chart" });
    this.place.append(this.picture);
  }

  add(time, names, values) {
    if (this.samples.length && this.samples.at(-1).time > time) [this.samples, this.raw] = [[], []];
    const recent = this.raw.filter((one) => one.time > time - beat);
    this.raw = [...recent, { time, values }];
    const mean = values.map((value, index) => {
      if (value === undefined) return undefined;
      const known = this.raw.map((one) => one.values[index]).filter((one) => one !== undefined);
      return known.reduce((sum, one) => sum + one, 0) / known.length;
    });
    this.samples.push({ time, names, values: mean });
    while (this.samples[0].time < time - span) this.samples.shift();
    this.draw();
  }

  lines() {
    const last = this.samples.at(-1);
    if (last.names.length > lineLimit)
      return [{ name: "all nodes", points: this.samples.map(({ time, values }) => [time, values.reduce((sum, value) => sum + (value ?? 0), 0)]) }];
    return last.names.map((name, index) => ({
      name, points: this.samples.map(({ time, values }) => [time, values[index]]).filter(([, value]) => value !== undefined),
    }));
  }

  draw() {
    const end = this.samples.at(-1).time;
    const lines = this.lines();
    const top = ceiling(Math.max(...lines.flatMap((line) => line.points.map(([, value]) => value)), 0));
    const { width, height, left, right, top: above, bottom } = size;
    const x = (time) => left + (width - left - right) * (1 - (end - time) / span);
    const y = (value) => height - bottom - (height - above - bottom) * value / top;
    const parts = [];
    for (const value of [0, top / 2, top]) {
      parts.push(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "grid" }));
      const label = svg("text", { x: left - 6, y: y(value) + 4, class: "axis end" });
      label.textContent = value >= 10 || value === 0 ? Math.round(value).toLocaleString("en") : String(value);
      parts.push(label);
    }
    for (const [time, text] of [[end - span, "5 min ago"], [end, "now"]]) {
      const label = svg("text", { x: x(time), y: height - 4, class: time === end ? "axis end" : "axis" });
      label.textContent = text;
      parts.push(label);
    }
    const ends = lines.map((line) => y(line.points.at(-1)?.[1] ?? 0));
    // Labels keep their distance, in the order of their lines.
    const order = ends.map((_, index) => index).sort((one, other) => ends[one] - ends[other]);
    let next = above + 2;
    const labels = [];
    order.forEach((index, place) => {
      const left_ = order.length - place - 1;
      labels[index] = Math.max(next, Math.min(ends[index] + 4, height - bottom - left_ * 14 + 4));
      next = labels[index] + 14;
    });
    lines.forEach((line, index) => {
      parts.push(svg("polyline", {
        points: line.points.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(" "), class: `line l${index}`,
      }));
      const label = svg("text", { x: width - right + 8, y: labels[index], class: `name l${index}` });
      label.textContent = `${plain(line.name)} ${line.points.length ? rate(line.points.at(-1)[1]) : "–"}`;
      parts.push(label);
    });
    this.picture.replaceChildren(...parts);
    mark(this.picture, "aria-label",
      `${this.what} now: ${lines.map((line) => `${line.name} ${line.points.length ? rate(line.points.at(-1)[1]) : "unknown"}`).join(", ")}`);
  }
}
