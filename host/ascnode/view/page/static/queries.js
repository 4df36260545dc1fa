// Queries in flight at the time that is looked at, and the card of one of them.

import { get } from "./api.js";
import { Chunks } from "./chunks.js";
import { elapsed } from "./clock.js";

const EACH_S = 30;
const MOST = 24;
const SEEN_S = 0.25; // of wall time that a query stays on the map, however fast time goes
const PARTS = ["uplink", "mesh", "queue", "compute", "wait", "downlink"];

export class Queries {
  constructor(scene, arrived) {
    this.places = new Map(scene.users.map(([name], i) => [name, i]));
    this.names = scene.names;
    this.chunks = new Chunks((number) => this.load(number), MOST, arrived);
  }

  async load(number) {
    const answer = await get("queries", { from: number * EACH_S, to: (number + 1) * EACH_S });
    for (const query of answer.queries) query.place = this.places.get(query.user) ?? -1;
    return { queries: answer.queries, complete: answer.complete };
  }

  // Those under way at t while time goes `speed` times as fast.
  at(t, speed) {
    const piece = this.chunks.at(Math.max(0, Math.floor(t / EACH_S)));
    if (!piece) return [];
    const longer = SEEN_S * speed;
    return piece.queries.filter((one) => one.sent_s <= t && t < Math.max(one.end_s ?? Infinity, one.sent_s + longer));
  }
}

const LISTED = 8;

// The first of those under way as buttons; chosen(job) when one is pressed.
export function listQueries(rows, flying, names, chosen) {
  const listed = flying.slice(0, LISTED);
  const key = listed.map((one) => `${one.job} ${one.node}`).join();
  if (rows.dataset.key === key) return;
  rows.dataset.key = key;
  rows.replaceChildren(...listed.map((one) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = `${one.job} from ${one.user}${one.node < 0 ? "" : ` to ${names[one.node]}`}`;
    button.addEventListener("click", () => chosen(one.job));
    item.append(button);
    return item;
  }));
}

export async function showQuery(card, job, names) {
  const query = await get("query", { job });
  const list = document.createElement("dl");
  for (const [word, text] of facts(query, names)) {
    const term = document.createElement("dt"), fact = document.createElement("dd");
    term.textContent = word;
    fact.textContent = text;
    list.append(term, fact);
  }
  card.replaceChildren(list);
  return query;
}

function facts(query, names) {
  const parts = PARTS.map((part) => [part, `${(query[`${part}_us`] / 1000).toFixed(1)} ms`]);
  return [
    ["query", `${query.job}, ${query.kind} of image ${query.image}, priority ${query.priority}`],
    ["from", query.user],
    ["node", query.node < 0 ? "none yet" : names[query.node]],
    ["sent", elapsed(query.sent_s)],
    ["outcome", outcome(query)],
    ...parts,
    ...(query.energy_j === null ? [] : [["energy", `${query.energy_j.toFixed(1)} J`]]),
    ...(query.guess === null ? [] : [["answer", `${query.guess}${query.label < 0 ? "" : `, label ${query.label}`}`]]),
  ];
}

function outcome(query) {
  if (query.cause) return `lost: ${query.cause}`;
  if (query.end_s === null) return "under way";
  const late = query.end_s > query.deadline_s ? ", after its deadline" : "";
  return `answered after ${(query.end_s - query.sent_s).toFixed(3)} s${late}`;
}
