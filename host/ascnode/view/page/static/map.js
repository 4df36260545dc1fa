// The world map: land, night, lasers, who is served, queries in flight, satellites.

import { ground } from "./ground.js";
import { saltire, triangle } from "./shapes.js";
import { COLUMNS } from "./slots.js";
import { wrapped } from "./sky.js";

const OUT = 2, THROTTLED = 4, SHED = 8, TRIPPED = 16; // flags of a satellite's state
const PICK_PX = 14;

export class WorldMap {
  constructor(canvas, scene, land, sky) {
    Object.assign(this, { canvas, scene, land, sky });
    this.context = canvas.getContext("2d");
    this.boards = new Set(scene.boards);
    this.nodes = scene.compute;
    this.isNode = new Uint8Array(sky.count);
    for (const node of this.nodes) this.isNode[node] = 1;
    this.x = new Float32Array(sky.count);
    this.y = new Float32Array(sky.count);
    this.showLasers = true;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  resize() {
    this.scale = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth || 600;
    this.height = this.width / 2;
    this.canvas.width = Math.round(this.width * this.scale);
    this.canvas.height = Math.round(this.height * this.scale);
    this.restyle();
  }

  restyle() {
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = Object.fromEntries(
      ["panel", "ink", "soft", "line", "land", "night", "accent", "laser"].map((name) => [name, this.colour(name)]),
    );
    this.ground = ground(this);
    this.dirty = true;
  }

  px(longitude) { return ((longitude + 180) / 360) * this.width; }
  py(latitude) { return ((90 - latitude) / 180) * this.height; }

  // slot: what the record has of the slot looked at, or undefined; queries: those in flight.
  draw(slot, queries, selected) {
    this.place();
    const c = this.context;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(this.ground, 0, 0);
    c.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    this.drawNight(c);
    if (this.showLasers) this.drawLasers(c, (slot && slot.lasers) || this.scene.lasers);
    if (slot && slot.served) this.drawService(c, slot.served);
    this.drawQueries(c, queries);
    this.drawSatellites(c, slot && slot.fleet);
    for (const node of this.nodes) this.drawNode(c, node, slot && slot.fleet);
    if (selected >= 0) this.drawSelected(c, selected);
    this.dirty = false;
  }

  place() {
    const { longitude, latitude, count } = this.sky;
    const kx = this.width / 360, ky = this.height / 180;
    for (let i = 0; i < count; i++) {
      this.x[i] = (longitude[i] + 180) * kx;
      this.y[i] = (90 - latitude[i]) * ky;
    }
  }

  drawNight(c) {
    const darkPole = this.sky.sun.latitude > 0 ? this.height : 0;
    c.beginPath();
    c.moveTo(0, darkPole);
    for (let lon = -180; lon <= 180; lon += 3) c.lineTo(this.px(lon), this.py(this.sky.terminator(lon)));
    c.lineTo(this.width, darkPole);
    c.closePath();
    c.fillStyle = this.colours.night;
    c.fill();
  }

  segment(c, ax, ay, bx, by) {
    if (Math.abs(ax - bx) > this.width / 2) return; // over the edge of the map
    c.moveTo(ax, ay);
    c.lineTo(bx, by);
  }

  drawLasers(c, pairs) {
    c.beginPath();
    for (const [a, b] of pairs) this.segment(c, this.x[a], this.y[a], this.x[b], this.y[b]);
    c.strokeStyle = this.colours.laser;
    c.lineWidth = 0.7;
    c.stroke();
  }

  drawService(c, served) {
    const [satellites, gateways] = served.gateway;
    c.beginPath();
    served.serving.forEach((satellite, site) => this.toSite(c, this.scene.users[site], satellite));
    c.strokeStyle = this.colours.ink;
    c.lineWidth = 0.8;
    c.stroke();
    c.beginPath();
    satellites.forEach((satellite, i) => this.toSite(c, this.scene.gateways[gateways[i]], satellite));
    c.setLineDash([2, 2]);
    c.strokeStyle = this.colours.soft;
    c.stroke();
    c.setLineDash([]);
  }

  toSite(c, site, satellite) {
    if (site && satellite >= 0) this.segment(c, this.px(site[2]), this.py(site[1]), this.x[satellite], this.y[satellite]);
  }

  drawQueries(c, queries) {
    c.beginPath();
    for (const query of queries) {
      const place = this.scene.users[query.place];
      if (query.node < 0 || !place) continue;
      this.bend(c, this.px(place[2]), this.py(place[1]), this.x[query.node], this.y[query.node]);
    }
    c.strokeStyle = this.colours.accent;
    c.lineWidth = 1.2;
    c.stroke();
  }

  // A flat arc the short way round: a query goes over many lasers, and its path is not in the record.
  bend(c, ax, ay, bx, by) {
    const across = Math.abs(ax - bx) > this.width / 2 ? (ax < bx ? this.width : -this.width) : 0;
    for (const shift of across ? [0, -across] : [0]) {
      const x0 = ax + across + shift, x1 = bx + shift;
      c.moveTo(x0, ay);
      c.quadraticCurveTo((x0 + x1) / 2, (ay + by) / 2 - Math.abs(x0 - x1) * 0.12, x1, by);
    }
  }

  // Squares, since the canvas fills them six times as fast as circles or pictures of them.
  drawSatellites(c, fleet) {
    const { lit, count } = this.sky, r = this.width < 600 ? 0.8 : 1.5;
    c.fillStyle = this.colours.ink;
    c.strokeStyle = this.colours.soft;
    c.lineWidth = 0.9;
    for (let i = 0; i < count; i++) {
      if (this.isNode[i] || (fleet && fleet[COLUMNS * i + 5] & OUT)) continue;
      if (lit[i]) c.fillRect(this.x[i] - r, this.y[i] - r, 2 * r, 2 * r);
      else c.strokeRect(this.x[i] - r, this.y[i] - r, 2 * r, 2 * r);
    }
    if (fleet) this.drawOut(c, fleet);
  }

  drawOut(c, fleet) {
    c.beginPath();
    for (let i = 0; i < this.sky.count; i++) if (fleet[COLUMNS * i + 5] & OUT) saltire(c, this.x[i], this.y[i], 3.5);
    c.strokeStyle = this.colours.ink;
    c.lineWidth = 1.4;
    c.stroke();
  }

  drawNode(c, node, fleet) {
    const flags = fleet ? fleet[COLUMNS * node + 5] : 0, jobs = fleet ? fleet[COLUMNS * node + 4] : 0;
    if (flags & OUT) return;
    const x = this.x[node], y = this.y[node], few = this.nodes.length <= 64, r = few ? 4.5 : 2.5;
    c.beginPath();
    if (flags & TRIPPED) triangle(c, x, y, r + 1, -1);
    else if (flags & SHED) triangle(c, x, y, r + 1, 1);
    else if (this.boards.has(node)) c.rect(x - r + 0.5, y - r + 0.5, 2 * r - 1, 2 * r - 1);
    else c.arc(x, y, r, 0, 7);
    c.fillStyle = this.sky.lit[node] ? this.colours.ink : this.colours.panel;
    c.strokeStyle = this.colours.ink;
    c.lineWidth = 1.3;
    c.fill();
    c.stroke();
    if (jobs && few) this.drawLoad(c, x, y + r + 3, jobs, flags & THROTTLED);
  }

  // Its queue as a bar below the node, a dashed one while it is throttled.
  drawLoad(c, x, y, jobs, throttled) {
    c.beginPath();
    c.moveTo(x - 8, y);
    c.lineTo(x - 8 + Math.min(16, jobs), y);
    c.strokeStyle = this.colours.accent;
    c.lineWidth = 3;
    if (throttled) c.setLineDash([2, 1]);
    c.stroke();
    c.setLineDash([]);
  }

  drawSelected(c, i) {
    c.beginPath();
    c.arc(this.x[i], this.y[i], 9, 0, 7);
    c.strokeStyle = this.colours.accent;
    c.lineWidth = 2;
    c.stroke();
    const name = this.scene.names[i], right = this.x[i] > this.width - 90;
    c.font = "12px system-ui, sans-serif";
    c.textAlign = right ? "right" : "left";
    c.lineWidth = 3;
    c.strokeStyle = this.colours.panel;
    c.fillStyle = this.colours.ink;
    const x = this.x[i] + (right ? -12 : 12), y = Math.max(12, this.y[i] + 4);
    c.strokeText(name, x, y);
    c.fillText(name, x, y);
  }

  // The satellite at a place on the canvas, a node before others; -1 without one.
  pick(x, y) {
    let best = -1, least = PICK_PX ** 2;
    for (let i = 0; i < this.sky.count; i++) {
      const apart = ((this.x[i] - x) ** 2 + (this.y[i] - y) ** 2) * (this.isNode[i] ? 0.25 : 1);
      if (apart < least) [best, least] = [i, apart];
    }
    return best;
  }

  where(i) {
    const lat = this.sky.latitude[i], lon = wrapped(this.sky.longitude[i]);
    return `${Math.abs(lat).toFixed(1)}° ${lat < 0 ? "S" : "N"} ${Math.abs(lon).toFixed(1)}° ${lon < 0 ? "W" : "E"}`;
  }
}
