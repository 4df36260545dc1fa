// The talk with the server: requests, and the stream that tells how far the run is.

export class Unauthorised extends Error {}

const SILENT_MS = 7000; // the server says something every two seconds
const AGAIN_MS = 1000;

export async function get(path, values = {}) {
  const query = new URLSearchParams(values).toString();
  const answer = await fetch(query ? `api/${path}?${query}` : `api/${path}`, { cache: "no-store" });
  if (answer.status === 401) throw new Unauthorised("the token is missing or wrong");
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || `status ${answer.status}`);
  return answer.json();
}

export async function login(token) {
  const answer = await fetch("login", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Unauthorised("this is not the token");
}

// Calls told(progress) for each message, lost(date) when the server is gone and back() when it is there again.
export class Stream {
  constructor(told, lost, back) {
    Object.assign(this, { told, lost, back });
    this.since = null;
    this.open();
  }

  open() {
    this.source = new EventSource("api/follow");
    this.source.onmessage = (event) => this.heard(JSON.parse(event.data));
    this.source.onerror = () => this.gone();
    this.watch();
  }

  watch() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.gone(), SILENT_MS);
  }

  heard(progress) {
    this.watch();
    const wasLost = this.since !== null;
    this.since = null;
    if (wasLost) this.back(progress);
    this.told(progress);
  }

  gone() {
    this.source.close();
    clearTimeout(this.silence);
    if (this.since === null) {
      this.since = new Date();
      this.lost(this.since);
    }
    setTimeout(() => this.open(), AGAIN_MS);
  }
}
