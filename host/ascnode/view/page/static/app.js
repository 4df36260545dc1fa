// The page: one time that is looked at, one node that is selected, and what is drawn from the two.

import { Stream, get } from "./api.js";
import { Charts, SPANS } from "./charts.js";
import { Clock, SPEEDS, elapsed, utc } from "./clock.js";
import { enter } from "./enter.js";
import { Events } from "./events.js";
import { watchKeys, writeHelp } from "./keys.js";
import { WorldMap } from "./map.js";
import { NodeTable, put } from "./nodes.js";
import { drawOverview } from "./overview.js";
import { Queries, listQueries, showQuery } from "./queries.js";
import { Search } from "./search.js";
import { Sky } from "./sky.js";
import { Slots } from "./slots.js";
import { applyTheme, watchTheme } from "./theme.js";
import { LIVE, mapWords, slotWords, stateWords } from "./words.js";

const PANELS_MS = 200; // tables and words change at most so often; the map with every frame
const SERIES_MS = 1500; // a growing run's charts
const $ = (id) => document.getElementById(id);

class Page {
  constructor(scene, land) {
    this.scene = scene;
    this.selected = scene.compute[0] ?? 0;
    this.clock = new Clock(scene.length_s);
    this.sky = new Sky(scene);
    const again = () => { this.dirty = true; };
    this.slots = new Slots(scene, again);
    this.queries = new Queries(scene, again);
    this.map = new WorldMap($("map"), scene, land, this.sky);
    this.charts = new Charts($("charts"), scene.limits);
    this.table = new NodeTable($("node-rows"), $("nodes-words"), scene, (node) => this.select(node));
    this.events = new Events($("event-rows"), $("events-words"), scene.names, (event) => this.go(event), again);
    this.search = new Search($("search"), $("found"), scene.names, (one) => this.go(one));
    this.span = 0;
    this.frames = { count: 0, ms: 0 };
    this.dirty = true;
    this.wire();
  }

  wire() {
    document.title = `${this.scene.name} - ascnode`;
    put($("run-name"), this.scene.name);
    for (const speed of SPEEDS) $("speed").add(new Option(`${speed}×`, speed));
    for (const [word, seconds] of SPANS) $("span").add(new Option(word, seconds));
    writeHelp($("help-keys"));
    $("play").addEventListener("click", () => this.play());
    $("follow").addEventListener("click", () => this.follow());
    $("lasers").addEventListener("click", () => this.lasers());
    $("speed").addEventListener("change", () => { this.clock.speed = Number($("speed").value); });
    $("span").addEventListener("change", () => { this.span = Number($("span").value); this.loadSeries(); });
    $("severity").addEventListener("change", () => this.severity(Number($("severity").value)));
    $("scrub").addEventListener("input", () => this.seek(Number($("scrub").value)));
    $("help-open").addEventListener("click", () => $("help").showModal());
    $("map").addEventListener("click", (event) => this.pick(event));
    const turn = watchTheme($("theme"), () => this.restyle());
    new ResizeObserver(() => { this.dirty = true; }).observe($("charts"));
    watchKeys({
      play: () => this.play(), step: (s) => this.seek(this.clock.t + s), start: () => this.seek(0),
      end: () => this.seek(this.clock.newest), faster: (steps) => this.faster(steps), follow: () => this.follow(),
      node: (step) => this.nextNode(step), search: () => $("search").focus(), theme: turn, lasers: () => this.lasers(),
      severity: (least) => this.severity(least), help: () => $("help").showModal(),
    });
  }

  restyle() {
    this.map.restyle();
    this.charts.restyle();
    this.dirty = true;
  }

  // --- what the user does

  play() { this.clock.toggle(); this.controls(); }
  follow() { this.clock.follow(!this.clock.following); this.controls(); }
  seek(t) { this.clock.seek(t); this.controls(); }
  faster(steps) { this.clock.faster(steps); this.controls(); }

  lasers() {
    this.map.showLasers = !this.map.showLasers;
    $("lasers").setAttribute("aria-pressed", String(this.map.showLasers));
    this.dirty = true;
  }

  severity(least) {
    $("severity").value = String(least);
    this.events.filter(least);
    this.events.look(this.clock.t);
  }

  select(node) {
    if (node < 0 || node === this.selected) return;
    this.selected = node;
    this.series = null;
    this.loadSeries();
    this.dirty = true;
  }

  nextNode(step) {
    const nodes = this.table.listed(this.selected), at = nodes.indexOf(this.selected);
    this.select(nodes[(at + step + nodes.length) % nodes.length]);
  }

  pick(event) {
    const box = $("map").getBoundingClientRect();
    this.select(this.map.pick(event.clientX - box.left, event.clientY - box.top));
  }

  // To what was found or clicked: its time, its node, its card.
  async go(one) {
    if (one.time_s !== undefined) this.seek(one.time_s);
    if (one.kind === "query") {
      const query = await showQuery($("query-card"), one.job, this.scene.names);
      this.select(query.node);
    } else if (one.node !== undefined) this.select(one.node);
  }

  // --- what the server says

  told(progress) {
    const first = this.progress === undefined, before = this.progress;
    this.progress = progress;
    if (!first && before.newest_s === progress.newest_s && before.state === progress.state) return;
    this.clock.newest = progress.newest_s;
    if (first && progress.state === LIVE) this.clock.follow(true);
    this.slots.chunks.grew();
    this.queries.chunks.grew();
    this.events.forget();
    if (first || performance.now() - this.seriesAt > SERIES_MS || progress.state !== LIVE) this.loadSeries();
    $("scrub").max = String(Math.max(1, Math.ceil(progress.newest_s)));
    this.controls();
  }

  async loadSeries() {
    const node = this.selected;
    this.seriesAt = performance.now();
    const [from, to] = this.axis();
    const series = await get("series", { node, from, to, points: 300 }).catch(() => null);
    if (series && node === this.selected) this.series = series;
    this.overview = await get("overview").catch(() => this.overview);
    this.dirty = true;
  }

  // The charts' time: the whole run so far, or a span that moves on in whole spans.
  axis() {
    if (!this.span) return [0, Math.max(60, this.clock.newest)];
    const from = Math.floor(this.clock.t / this.span) * this.span;
    return [from, from + this.span];
  }

  // --- drawing

  controls() {
    const clock = this.clock;
    put($("play"), clock.playing || clock.following ? "Pause" : "Play");
    $("follow").setAttribute("aria-pressed", String(clock.following));
    $("follow").hidden = this.progress?.state !== LIVE;
    $("speed").value = String(clock.speed);
    put($("run-state"), stateWords(this.progress));
    this.dirty = true;
  }

  frame(now) {
    const wallS = Math.min(0.25, (now - (this.before ?? now)) / 1000);
    this.before = now;
    const playing = this.clock.playing;
    if (this.clock.tick(wallS)) this.dirty = true;
    if (playing !== this.clock.playing) this.controls();
    if (this.dirty || this.map.dirty) this.draw(now);
    requestAnimationFrame((next) => this.frame(next));
  }

  draw(now) {
    const started = performance.now(), t = this.clock.t;
    this.dirty = false;
    this.sky.at(t);
    const slot = this.slots.at(t), flying = this.queries.at(t, this.clock.playing ? this.clock.speed : 1);
    this.map.draw(slot, flying, this.selected);
    if (now - (this.panelsAt ?? 0) >= PANELS_MS || !this.clock.playing) this.panels(now, t, slot, flying);
    this.frames.count += 1;
    this.frames.ms += performance.now() - started;
  }

  panels(now, t, slot, flying) {
    this.panelsAt = now;
    put($("utc"), utc(this.scene.epoch, t));
    put($("elapsed"), `T+${elapsed(t)}`);
    $("scrub").value = String(Math.round(t));
    $("scrub").setAttribute("aria-valuetext", `${elapsed(t)} of ${elapsed(this.clock.newest)}`);
    put($("map-words"), mapWords(this.sky, this.scene.users.length, slot, flying.length));
    put($("slot"), slot ? slotWords(slot) : "no slot of this time has been recorded");
    put($("query-words"), `${flying.length} in flight`);
    const still = !this.clock.playing && !this.clock.following; // names that come and go at once say nothing
    listQueries($("query-rows"), still ? flying : [], this.scene.names, (job) => this.go({ kind: "query", job }));
    this.table.draw(slot, this.sky, this.selected);
    put($("charts-words"), `${this.scene.names[this.selected]}, ${this.map.where(this.selected)}`);
    const [from, to] = this.axis();
    if (this.span && this.series && this.series.from !== from) this.loadSeries();
    this.charts.draw(this.series, from, to, t);
    drawOverview($("overview"), this.overview, this.clock.newest, t);
    this.events.look(t);
  }
}

async function start() {
  applyTheme(); // before there is anything to see
  const scene = await enter();
  const page = new Page(scene, await get("land").then((answer) => answer.rings));
  window.ascnode = page; // for those who look into it from the browser's console, and for its tests
  const lost = (since) => put($("connection"), `connection lost since ${since.toTimeString().slice(0, 8)}`);
  const back = (progress) => {
    put($("connection"), "");
    if (progress.run !== scene.run) location.reload(); // another run is served here now
  };
  new Stream((progress) => page.told(progress), lost, back);
  requestAnimationFrame((now) => page.frame(now));
}

start().catch((error) => put($("connection"), `the page did not start: ${error.message}`));
