// The search box: nodes and places from the scene at once, queries and events from the server.

import { get } from "./api.js";
import { elapsed } from "./clock.js";

const SHOWN = 12;
const WAIT_MS = 150;
const LEFT_MS = 150; // a click on what was found takes the focus first

export class Search {
  constructor(box, list, names, chosen) {
    Object.assign(this, { box, list, names, chosen });
    this.at = -1;
    box.addEventListener("input", () => this.soon());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => setTimeout(() => { if (document.activeElement !== box) this.close(); }, LEFT_MS));
  }

  // Nodes at once; the server a moment after the last key.
  soon() {
    clearTimeout(this.timer);
    const text = this.box.value.trim();
    if (!text) return this.close();
    this.show(this.nodes(text.toLowerCase()), "looking...");
    this.timer = setTimeout(() => this.ask(text), WAIT_MS);
  }

  async ask(text) {
    const { found } = await get("search", { text }).catch(() => ({ found: [] }));
    if (text !== this.box.value.trim()) return;
    this.show([...this.nodes(text.toLowerCase()), ...found].slice(0, SHOWN), "nothing found");
  }

  nodes(text) {
    const hits = [];
    for (let i = 0; i < this.names.length && hits.length < 6; i++) {
      if (this.names[i].toLowerCase().includes(text)) hits.push({ kind: "node", node: i, label: this.names[i] });
    }
    return hits.sort((a, b) => a.label.length - b.label.length);
  }

  show(found, otherwise) {
    this.found = found;
    this.list.replaceChildren(...found.map((one, i) => this.option(one, i)));
    if (!found.length) this.list.append(this.nothing(otherwise));
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.move(found.length ? 0 : -1);
  }

  nothing(words) {
    const item = document.createElement("li");
    item.textContent = words;
    return item;
  }

  option(one, i) {
    const item = document.createElement("li");
    item.id = `found-${i}`;
    item.setAttribute("role", "option");
    const when = one.time_s === undefined ? "" : ` at ${elapsed(one.time_s)}`;
    item.textContent = `${one.kind}: ${one.label}${when}`;
    item.addEventListener("mousedown", () => this.choose(i));
    return item;
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.found) this.move((this.at + step + this.found.length) % Math.max(1, this.found.length));
    else if (event.key === "Enter") this.choose(this.at);
    else if (event.key === "Escape") { this.close(); this.box.blur(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  move(at) {
    this.at = at;
    [...this.list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) this.box.setAttribute("aria-activedescendant", `found-${at}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  choose(i) {
    const one = this.found && this.found[i];
    if (!one) return;
    this.close();
    this.box.value = "";
    this.box.blur();
    this.chosen(one);
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.found = [];
    this.box.setAttribute("aria-expanded", "false");
    this.move(-1);
  }
}
