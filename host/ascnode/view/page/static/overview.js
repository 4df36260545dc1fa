// Above the scrub bar: how many jobs the nodes held over the run, and where something of weight happened.

import { context } from "./charts.js";

export function drawOverview(canvas, overview, newest, t) {
  const c = context(canvas), width = canvas.clientWidth, height = canvas.clientHeight;
  c.clearRect(0, 0, width, height);
  if (!overview || !newest) return;
  const style = getComputedStyle(document.documentElement);
  const px = (time) => (time / newest) * (width - 16) + 8; // as far from the ends as the bar's thumb
  bars(c, overview, px, height, style.getPropertyValue("--line"));
  c.fillStyle = style.getPropertyValue("--ink");
  for (const time of overview.alarms) c.fillRect(px(time), 0, 1.5, 7);
  c.fillStyle = style.getPropertyValue("--accent");
  c.fillRect(px(t) - 0.75, 0, 1.5, height);
}

function bars(c, { t, jobs }, px, height, colour) {
  const most = Math.max(1, ...jobs);
  c.fillStyle = colour;
  c.beginPath();
  c.moveTo(px(0), height);
  t.forEach((time, i) => c.lineTo(px(time), height - (jobs[i] / most) * (height - 8)));
  c.lineTo(px(t.at(-1) ?? 0), height);
  c.fill();
}
