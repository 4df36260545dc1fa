// Pieces of the record by number, loaded when they are looked at; the ones not looked at for longest are let go.

export class Chunks {
  constructor(load, most, arrived) {
    Object.assign(this, { load, most, arrived });
    this.held = new Map(); // in order of use
    this.asked = new Set();
  }

  // The piece, or undefined while it is on its way. A piece that was not complete is asked for again when stale.
  at(number) {
    const piece = this.held.get(number);
    if (piece !== undefined) {
      this.held.delete(number);
      this.held.set(number, piece);
    }
    if ((piece === undefined || piece.stale) && !this.asked.has(number)) this.ask(number);
    return piece;
  }

  async ask(number) {
    this.asked.add(number);
    try {
      this.keep(number, await this.load(number));
      this.arrived();
    } catch {
      await new Promise((done) => setTimeout(done, 500)); // the stream tells of a lost server
    } finally {
      this.asked.delete(number);
    }
  }

  keep(number, piece) {
    this.held.set(number, piece);
    while (this.held.size > this.most) this.held.delete(this.held.keys().next().value);
  }

  // The run has gone on: what was still growing is asked for anew.
  grew() {
    for (const piece of this.held.values()) if (!piece.complete) piece.stale = true;
  }
}
