// The time that is looked at: playing, paused, or following the newest of a run that goes on.

export const SPEEDS = [1, 10, 60, 300, 1200, 3600];
const EASE_S = 0.4;

export class Clock {
  constructor(lengthS) {
    this.length = lengthS;
    this.newest = 0;
    this.t = 0;
    this.speed = 60;
    this.playing = false;
    this.following = false;
  }

  // Advances by wall time; whether the time that is looked at has changed.
  tick(wallS) {
    const before = this.t;
    if (this.following) this.t += (this.newest - this.t) * (1 - Math.exp(-wallS / EASE_S));
    else if (this.playing) this.t += this.speed * wallS;
    if (Math.abs(this.newest - this.t) < 0.05 && this.following) this.t = this.newest;
    if (this.t >= this.newest && !this.following) this.playing = false;
    this.t = Math.min(this.t, this.newest);
    return this.t !== before;
  }

  seek(t) {
    this.following = false;
    this.t = Math.min(Math.max(0, t), this.newest);
  }

  toggle() {
    if (this.following) {
      this.following = false;
      this.playing = false;
      return;
    }
    this.playing = !this.playing;
    if (this.playing && this.t >= this.newest) this.t = 0; // play again
  }

  follow(on) {
    this.following = on;
    this.playing = false;
  }

  faster(steps) {
    const at = Math.max(0, SPEEDS.indexOf(this.speed)) + steps;
    this.speed = SPEEDS[Math.min(Math.max(0, at), SPEEDS.length - 1)];
  }
}

export function elapsed(seconds) {
  const s = Math.floor(Math.max(0, seconds));
  const two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

export function utc(epoch, seconds) {
  return new Date(Date.parse(epoch) + Math.floor(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ") + " UTC";
}
