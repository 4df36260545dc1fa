// Shows a run of ascnode in Open MCT: objects, history and limits come from the server, new values by asking each second.
"use strict";

const NAMESPACE = "ascnode";
const ASK_MS = 1000;
const LIVE_MS = 30 * 60 * 1000; // that the live view looks back
const COLOURS = { WATCH: "cyan", WARNING: "yellow", CRITICAL: "red" };
const CLASSES = { WATCH: "is-limit--cyan", WARNING: "is-limit--yellow", CRITICAL: "is-limit--red" };

async function ask(path, query) {
  const response = await fetch(`api/${path}?${new URLSearchParams(query)}`);
  if (!response.ok) throw new Error((await response.json()).error);
  return response.json();
}

// Simulated time, as far as the run has come.
class RunClock {
  constructor(newest) {
    Object.assign(this, { key: NAMESPACE, name: "Run", cssClass: "icon-clock", description: "The run's own time" });
    this.newest = newest;
    this.listeners = [];
  }

  currentValue() {
    return this.newest;
  }

  on(event, callback, context) {
    if (event === "tick") this.listeners.push([callback, context]);
    return this;
  }

  off(event, callback) {
    this.listeners = this.listeners.filter(([one]) => one !== callback);
    return this;
  }

  tick(newest) {
    this.newest = newest;
    for (const [callback, context] of [...this.listeners]) callback.call(context, newest);
  }
}

function domainObject(one) {
  const object = {
    identifier: { namespace: NAMESPACE, key: one.key },
    name: one.name,
    type: one.type,
    location: one.location === "ROOT" ? "ROOT" : `${NAMESPACE}:${one.location}`,
  };
  if (one.type === "folder") return { ...object, composition: one.children.map((key) => ({ namespace: NAMESPACE, key })) };
  const time = { key: "utc", source: "utc", name: "Time", format: "utc", hints: { domain: 1 } };
  const series = [{ identifier: object.identifier, limitLines: one.limits.length > 0 }];
  const axes = one.values[0].unit === "%" ? { yAxis: { autoscale: false, range: { min: 0, max: 100 } } } : {};
  return { ...object, telemetry: { values: [time, ...one.values] }, configuration: { series, ...axes } };
}

function beyond(limit, value) {
  if (limit.side === "is") return value === limit.value;
  return limit.side === "low" ? value < limit.value : value > limit.value;
}

function evaluator(limits) {
  // The gravest comes last.
  return {
    evaluate(datum) {
      const found = limits.filter((limit) => beyond(limit, datum.value)).at(-1);
      if (!found) return undefined;
      const side = found.side === "low" ? "is-limit--lwr" : "is-limit--upr";
      return { cssClass: `${CLASSES[found.level]} ${side}`, name: `${found.level} ${found.side}`, low: found.value, high: found.value };
    },
  };
}

function limitLines(limits) {
  const lines = {};
  for (const { level, side, value } of limits) {
    if (side !== "is") (lines[level] ??= {})[side] = { color: COLOURS[level], value };
  }
  return lines;
}

// What is shown of fields that are looked at. A board may tell late what it did while nobody asked it to work: each
// field goes on from its own last sample.
class Watched {
  constructor(clock) {
    this.clock = clock;
    this.callbacks = new Set();
    this.last = new Map();
  }

  keys() {
    return new Set([...this.callbacks].map(([key]) => key));
  }

  since(key) {
    return this.last.get(key) ?? this.clock.newest;
  }

  seen(key, samples) {
    for (const { utc } of samples) this.last.set(key, Math.max(utc, this.last.get(key) ?? 0));
    return samples;
  }

  gained(key, samples) {
    const fresh = samples.filter(({ utc }) => utc > this.since(key));
    for (const datum of fresh) for (const [one, callback] of this.callbacks) if (one === key) callback(datum);
    this.seen(key, fresh);
  }
}

async function samplesOf(key, query) {
  return (await ask("samples", { key, ...query })).map(([utc, value]) => ({ utc, value }));
}

function telemetryProvider(run, watched) {
  const mine = (object) => object.identifier.namespace === NAMESPACE && object.type === "ascnode.field";
  const limitsOf = (object) => run.objects[object.identifier.key].limits;
  return {
    supportsRequest: mine,
    supportsSubscribe: mine,
    supportsLimits: (object) => mine(object) && limitsOf(object).length > 0,
    async request(object, { start, end, size, strategy }) {
      const { key } = object.identifier;
      return watched.seen(key, await samplesOf(key, { start, end, most: strategy === "latest" ? 1 : size || 1000 }));
    },
    subscribe(object, callback) {
      const entry = [object.identifier.key, callback];
      watched.callbacks.add(entry);
      return () => watched.callbacks.delete(entry);
    },
    getLimitEvaluator: (object) => evaluator(limitsOf(object)),
    getLimits: (object) => ({ limits: async () => limitLines(limitsOf(object)) }),
  };
}

// Once a second: how far the run has come, and what fields that are shown have gained.
async function follow(run, clock, watched) {
  while (!run.whole) {
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    try {
      const now = await ask("now", {});
      for (const key of watched.keys()) {
        watched.gained(key, await samplesOf(key, { start: watched.since(key), end: now.end, most: 1000 }));
      }
      clock.tick(now.end);
      run.whole = now.whole;
    } catch (error) {
      console.warn(`the server does not answer: ${error.message}`);
    }
  }
}

function plugin(run, clock, watched) {
  return (openmct) => {
    openmct.types.addType("ascnode.field", { name: "Telemetry field", cssClass: "icon-telemetry" });
    openmct.objects.addRoot({ namespace: NAMESPACE, key: "run" });
    openmct.objects.addProvider(NAMESPACE, { get: async ({ key }) => domainObject(run.objects[key]) });
    openmct.telemetry.addProvider(telemetryProvider(run, watched));
    openmct.time.addClock(clock);
  };
}

async function start() {
  const run = await ask("run", {});
  const clock = new RunClock(run.end);
  const watched = new Watched(clock);
  const fixed = { name: "Whole run", timeSystem: "utc", bounds: { start: run.start, end: run.end } };
  const live = { name: "Live", timeSystem: "utc", clock: NAMESPACE, clockOffsets: { start: -LIVE_MS, end: 0 } };
  document.title = `${run.name}: ascnode in Open MCT`;
  openmct.setAssetPath("openmct");
  openmct.install(openmct.plugins.LocalStorage());
  openmct.install(openmct.plugins.MyItems());
  openmct.install(openmct.plugins.Espresso());
  openmct.install(openmct.plugins.UTCTimeSystem());
  openmct.install(plugin(run, clock, watched));
  openmct.install(openmct.plugins.Conductor({ menuOptions: run.whole ? [fixed] : [live, fixed] }));
  openmct.start(document.getElementById("mount"));
  follow(run, clock, watched);
}

document.addEventListener("DOMContentLoaded", start);
