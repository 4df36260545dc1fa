// What the record has of each slot, as the page uses it.

import { get } from "./api.js";
import { Chunks } from "./chunks.js";

const PIECE_BYTES = 80_000, LONGEST = 8; // of states in a piece; slots of one: two minutes
const MOST = 16; // pieces: some 1.3 MB
export const COLUMNS = 6;

export class Slots {
  constructor(scene, arrived) {
    this.scene = scene;
    this.each = Math.max(1, Math.min(LONGEST, Math.floor(PIECE_BYTES / (COLUMNS * scene.names.length))));
    this.chunks = new Chunks((number) => this.load(number), MOST, arrived);
  }

  // The slot under way at t, or the newest before it that is at hand; undefined when none is.
  at(t) {
    const { start_s, each_s, count } = this.scene.slots;
    const index = Math.min(count - 1, Math.max(0, Math.floor((t - start_s) / each_s)));
    const piece = this.chunks.at(Math.floor(index / this.each));
    this.chunks.at(Math.floor((index + Math.ceil(this.each / 2)) / this.each)); // the next one in good time
    if (piece) this.last = piece.slots.findLast((slot) => slot.index <= index) || this.before(index) || piece.slots[0];
    return this.last;
  }

  before(index) {
    const piece = this.chunks.held.get(Math.floor(index / this.each) - 1);
    return piece && piece.slots.at(-1);
  }

  async load(number) {
    const answer = await get("slots", { first: number * this.each, count: this.each });
    const last = Math.min(this.each, this.scene.slots.count - number * this.each);
    return { slots: answer.slots.map((slot) => unpacked(slot, this.scene)), complete: answer.slots.length >= last };
  }
}

function unpacked(slot, scene) {
  const fleet = slot.fleet && Uint8Array.from(atob(slot.fleet), (c) => c.charCodeAt(0));
  return { ...slot, fleet, lasers: slot.served && lasers(slot.served, scene) };
}

function lasers(served, scene) {
  const out = new Set(served.lasers_out.map(String));
  const planned = out.size ? scene.lasers.filter((pair) => !out.has(String(pair))) : scene.lasers;
  return served.lasers_more.length ? planned.concat(served.lasers_more) : planned;
}

const KELVIN_AT_0_C = 273.15, COLDEST_K = 150;
const MODES = ["SAFE", "CHARGE", "COMPUTE", "DOWNLINK"];

// One node's state in a slot in units, with a word for what is wrong; null where the record has none.
export function nodeState(slot, node) {
  if (!slot || !slot.fleet) return null;
  const [charge, accelerator, radiator, point, jobs, flags] = slot.fleet.subarray(COLUMNS * node, COLUMNS * (node + 1));
  const mode = MODES[(flags >> 5) & 3];
  const words = [[2, "out of service"], [16, "tripped"], [8, "load shed"], [4, "throttled"]];
  const wrong = words.find(([bit]) => flags & bit);
  return {
    charge: charge / 255, accelerator_c: accelerator + COLDEST_K - KELVIN_AT_0_C,
    radiator_c: radiator + COLDEST_K - KELVIN_AT_0_C, point, jobs, mode, word: wrong ? wrong[1] : mode,
    alarm: Boolean(flags & (2 | 8 | 16)),
  };
}
