// Charts of one node: each quantity over time with its limits, one canvas each, and one time axis.

import { elapsed } from "./clock.js";

const CHARTS = [
  { title: "Charge", unit: "%", lines: [["charge", "charge"]], limits: "charge", low: 0, high: 1, show: (v) => (100 * v).toFixed(1), tick: (v) => (100 * v).toFixed(0) },
  { title: "Temperature", unit: "°C", lines: [["accelerator_c", "accel."], ["radiator_c", "radiator"]], limits: "accelerator_c", show: (v) => v.toFixed(1) },
  { title: "Power", unit: "W", lines: [["array_w", "array"], ["load_w", "load"]], limits: "array_w", low: 0, show: (v) => v.toFixed(0) },
  { title: "Operating point", unit: "", lines: [["point", "point"]], limits: "point", low: 0, show: (v) => v.toFixed(0) },
  { title: "Throttled", unit: "% of time", lines: [["throttled", "throttled"]], limits: "throttled", low: 0, high: 1, show: (v) => (100 * v).toFixed(0), tick: (v) => (100 * v).toFixed(0) },
  { title: "Queue", unit: "jobs", lines: [["queue", "jobs"]], limits: "queue", low: 0, show: (v) => v.toFixed(0) },
];
export const SPANS = [["whole run", 0], ["1 h", 3600], ["10 min", 600]];
const LEFT = 34, BOTTOM = 14, RIGHT = 4, TOP = 4;

export class Charts {
  constructor(box, limits) {
    this.limits = limits;
    this.all = CHARTS.map((chart) => this.make(box, chart));
    this.restyle();
  }

  make(box, chart) {
    const figure = document.createElement("figure"), caption = document.createElement("figcaption");
    const value = document.createElement("span"), canvas = document.createElement("canvas");
    figure.className = "chart";
    caption.append(chart.title, value);
    canvas.setAttribute("role", "img");
    figure.append(caption, canvas);
    box.append(figure);
    return { mark: (v) => String(Number(v.toFixed(1))), ...chart, canvas, value };
  }

  restyle() {
    this.drawn = null;
    const style = getComputedStyle(document.documentElement);
    this.colours = Object.fromEntries(
      ["ink", "soft", "line", "accent", "second"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
    );
  }

  // series: times t and, by quantity, least and greatest values lo, hi of each; from, to: the axis; now: the cursor.
  draw(series, from, to, now) {
    const width = this.all[0].canvas.clientWidth;
    const same = [series, from, to, Math.round((now - from) / Math.max(1e-9, to - from) * width), width];
    if (this.drawn && same.every((value, i) => value === this.drawn[i])) return;
    this.drawn = same;
    for (const chart of this.all) this.one(chart, series, from, to, now);
  }

  one(chart, series, from, to, now) {
    const lines = chart.lines.filter(([key]) => series && series[key]);
    this.say(chart, series, lines, now);
    const c = context(chart.canvas), width = chart.canvas.clientWidth, height = chart.canvas.clientHeight;
    const limits = (this.limits[chart.limits] || []);
    const axis = valueAxis(chart, series, lines, limits);
    const px = (t) => LEFT + ((t - from) / Math.max(1e-9, to - from)) * (width - LEFT - RIGHT);
    const py = (v) => TOP + ((axis.high - v) / (axis.high - axis.low)) * (height - TOP - BOTTOM);
    c.clearRect(0, 0, width, height);
    this.frame(c, chart, axis, px, py, from, to, width, height);
    this.drawLimits(c, limits, py, width);
    c.save();
    c.beginPath();
    c.rect(LEFT, 0, width - LEFT - RIGHT, height);
    c.clip();
    lines.forEach(([key], i) => this.line(c, series.t, series[key], px, py, i));
    this.cursor(c, px(now), height);
    c.restore();
  }

  say(chart, series, lines, now) {
    const i = series ? lastBefore(series.t, now) : -1;
    const parts = lines.map(([key, word]) => {
      const value = i < 0 ? null : series[key].hi[i];
      return `${lines.length > 1 ? word + " " : ""}${value === null ? "-" : chart.show(value)}`;
    });
    const text = parts.length ? `${parts.join("   ")} ${chart.unit}`.trim() : "not in this record";
    if (chart.value.textContent !== text) chart.value.textContent = text;
    chart.canvas.setAttribute("aria-label", `${chart.title} over time; now ${text}`);
  }

  frame(c, chart, axis, px, py, from, to, width, height) {
    c.font = "11px system-ui, sans-serif";
    c.fillStyle = this.colours.soft;
    c.strokeStyle = this.colours.line;
    c.lineWidth = 1;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const v of ticks(axis)) {
      c.strokeRect(LEFT, Math.round(py(v)) + 0.5, width - LEFT - RIGHT, 0);
      c.fillText((chart.tick || chart.mark)(v), LEFT - 4, Math.min(Math.max(py(v), 6), height - BOTTOM - 4));
    }
    c.textBaseline = "alphabetic";
    c.textAlign = "left";
    c.fillText(elapsed(from), LEFT, height - 2);
    c.textAlign = "right";
    c.fillText(elapsed(to), width - RIGHT, height - 2);
  }

  drawLimits(c, limits, py, width) {
    c.setLineDash([4, 3]);
    c.strokeStyle = this.colours.soft;
    c.fillStyle = this.colours.soft;
    c.beginPath();
    limits.forEach(({ word, value }, i) => {
      const y = Math.round(py(value)) + 0.5;
      c.moveTo(LEFT, y);
      c.lineTo(width - RIGHT, y);
      c.textAlign = i % 2 ? "left" : "right"; // neighbours keep out of each other's way
      c.fillText(word, i % 2 ? LEFT + 3 : width - RIGHT - 2, y < 14 ? y + 11 : y - 2);
    });
    c.stroke();
    c.setLineDash([]);
  }

  // The first line is solid, the second one dashed; where points stand for many, a band spans what they were.
  line(c, t, { lo, hi }, px, py, number) {
    c.beginPath();
    let down = false;
    for (let i = 0; i < t.length; i++) {
      if (hi[i] === null) { down = false; continue; }
      if (down) c.lineTo(px(t[i]), py(hi[i])); else c.moveTo(px(t[i]), py(hi[i]));
      if (lo[i] !== hi[i]) { c.lineTo(px(t[i]), py(lo[i])); c.lineTo(px(t[i]), py(hi[i])); }
      down = true;
    }
    c.strokeStyle = number ? this.colours.second : this.colours.accent;
    c.setLineDash(number ? [5, 2] : []);
    c.lineWidth = 1.4;
    c.stroke();
    c.setLineDash([]);
  }

  cursor(c, x, height) {
    c.strokeStyle = this.colours.ink;
    c.lineWidth = 1;
    c.beginPath();
    c.moveTo(x, 0);
    c.lineTo(x, height - BOTTOM);
    c.stroke();
  }
}

export function context(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * scale), height = Math.round(canvas.clientHeight * scale);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const c = canvas.getContext("2d");
  c.setTransform(scale, 0, 0, scale, 0, 0);
  return c;
}

function valueAxis(chart, series, lines, limits) {
  let low = chart.low ?? Infinity, high = chart.high ?? -Infinity;
  for (const { value } of limits) [low, high] = [Math.min(low, value), Math.max(high, value)];
  for (const [key] of lines) {
    for (const v of series[key].lo) if (v !== null && v < low) low = v;
    for (const v of series[key].hi) if (v !== null && v > high) high = v;
  }
  if (!(low < high)) [low, high] = Number.isFinite(low) ? [low - 1, low + 1] : [0, 1];
  const room = chart.high === undefined ? (high - low) * 0.06 : 0;
  return { low: chart.low === undefined ? low - room : low, high: high + room };
}

// Two to five round values of an axis.
function ticks({ low, high }) {
  const rough = (high - low) / 4, decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * [1, 2, 5, 10].find((m) => m * decade >= rough);
  const values = [];
  for (let v = Math.ceil(low / step) * step; v <= high * (1 + 1e-9); v += step) values.push(v);
  return values;
}

// The last of ascending times at or before now; -1 when there is none.
export function lastBefore(times, now) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= now) low = middle + 1; else high = middle;
  }
  return low - 1;
}
