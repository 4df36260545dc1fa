// The table of nodes: what each one is and does in the slot that is looked at.

import { nodeState } from "./slots.js";

const SHOWN = 40;

export class NodeTable {
  constructor(rows, words, scene, chosen) {
    Object.assign(this, { rows, words, scene, chosen });
    this.boards = new Set(scene.boards);
    this.cells = new Map();
  }

  // The nodes in the table: the first ones, and the one that is selected.
  listed(selected) {
    const nodes = this.scene.compute.slice(0, SHOWN);
    return selected < 0 || nodes.includes(selected) ? nodes : [selected, ...nodes];
  }

  draw(slot, sky, selected) {
    const nodes = this.listed(selected);
    if (nodes.join() !== this.order) this.rebuild(nodes);
    for (const node of nodes) this.fill(node, nodeState(slot, node), sky.lit[node], node === selected);
    const all = this.scene.compute.length;
    const text = `${all > SHOWN ? `${SHOWN} of ` : ""}${all.toLocaleString("en")} nodes, ${this.boards.size} of them boards ■` +
      (all > SHOWN ? "; search finds the others" : "");
    put(this.words, slot && !slot.fleet ? `${text}; this record holds no states of satellites` : text);
  }

  rebuild(nodes) {
    this.order = nodes.join();
    this.cells.clear();
    this.rows.replaceChildren(...nodes.map((node) => this.row(node)));
  }

  row(node) {
    const row = document.createElement("tr"), name = document.createElement("button");
    const head = document.createElement("td");
    name.type = "button";
    name.textContent = this.scene.names[node];
    name.addEventListener("click", () => this.chosen(node));
    head.append(name, this.boards.has(node) ? "■" : "");
    if (this.boards.has(node)) name.title = "a board";
    const cells = ["", "light", "number", "number", "number radiator", "number", "number"].map((kind) => {
      const cell = document.createElement("td");
      cell.className = kind;
      return cell;
    });
    row.append(head, ...cells);
    this.cells.set(node, { row, button: name, cells });
    return row;
  }

  fill(node, state, lit, selected) {
    const { row, button, cells } = this.cells.get(node);
    row.className = selected ? "selected" : "";
    button.setAttribute("aria-current", String(selected));
    const values = state
      ? [state.word, lit ? "sun" : "shadow", (100 * state.charge).toFixed(1), state.accelerator_c.toFixed(0),
        state.radiator_c.toFixed(0), state.point, state.jobs]
      : ["-", lit ? "sun" : "shadow", "-", "-", "-", "-", "-"];
    cells.forEach((cell, i) => put(cell, String(values[i])));
    cells[0].className = state && state.alarm ? "alarm" : "";
  }
}

// Text that is as it was is left alone: screen readers and layout are not stirred.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
