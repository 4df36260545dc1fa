// Events up to the time that is looked at, newest first, by severity: a word and a shape each.

import { get } from "./api.js";
import { elapsed } from "./clock.js";
import { put } from "./nodes.js";

const WORDS = { 1: ["○", "info"], 2: ["◔", "low"], 3: ["◆", "medium"], 4: ["■", "high"] };
const SHOWN = 120;
const AGAIN_MS = 250;

export class Events {
  // again() is called when there may be more to look for.
  constructor(list, words, names, chosen, again) {
    Object.assign(this, { list, words, names, chosen, again });
    this.least = 1;
    this.range = [Infinity, -Infinity]; // times for which the list stays as it is
  }

  filter(least) {
    this.least = least;
    this.forget();
  }

  forget() {
    this.range = [Infinity, -Infinity];
  }

  async look(t) {
    if (this.shown) put(this.words, `${this.shown} up to ${elapsed(t)}`);
    if (this.asking || (t >= this.range[0] && t < this.range[1])) return;
    this.asking = true;
    try {
      this.show(await get("events", { until: t.toFixed(3), least: this.least, most: SHOWN }), t);
    } catch {
      this.forget();
    } finally {
      setTimeout(() => { this.asking = false; this.again(); }, AGAIN_MS);
    }
  }

  show({ events, next_s, more }, t) {
    this.range = [events.length ? events[0].time_s : 0, next_s === null ? Infinity : next_s];
    this.list.replaceChildren(...events.map((event) => this.row(event)));
    this.shown = `${more ? "the newest " : ""}${events.length}`;
    put(this.words, `${this.shown} up to ${elapsed(t)}`);
  }

  row(event) {
    const item = document.createElement("li"), button = document.createElement("button");
    const [shape, word] = WORDS[event.severity] || WORDS[1];
    button.type = "button";
    item.className = `severity-${event.severity}`;
    button.append(
      part("time", elapsed(event.time_s)), part("span", `${shape} ${word}`, "word"),
      part("span", `${this.names[event.node]} ${event.text}`),
    );
    button.addEventListener("click", () => this.chosen(event));
    item.append(button);
    return item;
  }
}

function part(tag, text, kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = kind;
  return element;
}
