// What lies under everything on the map and changes with its size and colours alone: land, graticule, places.

import { cross, diamond } from "./shapes.js";

// A canvas to copy from; map gives size, scale, colours and the projection px, py.
export function ground(map) {
  const layer = document.createElement("canvas");
  layer.width = Math.round(map.width * map.scale);
  layer.height = Math.round(map.height * map.scale);
  const c = layer.getContext("2d");
  c.scale(map.scale, map.scale);
  c.fillStyle = map.colours.panel;
  c.fillRect(0, 0, map.width, map.height);
  drawLand(c, map);
  drawGraticule(c, map);
  drawPlaces(c, map);
  return layer;
}

function drawLand(c, map) {
  c.beginPath();
  for (const ring of map.land) {
    ring.forEach(([lon, lat], i) => (i ? c.lineTo(map.px(lon), map.py(lat)) : c.moveTo(map.px(lon), map.py(lat))));
    c.closePath();
  }
  c.fillStyle = map.colours.land;
  c.fill("evenodd");
}

function drawGraticule(c, map) {
  c.strokeStyle = map.colours.line;
  c.lineWidth = 0.5;
  c.beginPath();
  for (let lon = -150; lon < 180; lon += 30) { c.moveTo(map.px(lon), 0); c.lineTo(map.px(lon), map.height); }
  for (let lat = -60; lat < 90; lat += 30) { c.moveTo(0, map.py(lat)); c.lineTo(map.width, map.py(lat)); }
  c.stroke();
}

function drawPlaces(c, map) {
  c.strokeStyle = map.colours.soft;
  c.lineWidth = 1;
  c.beginPath();
  for (const [, lat, lon] of map.scene.users) cross(c, map.px(lon), map.py(lat), 2);
  for (const [, lat, lon] of map.scene.gateways) diamond(c, map.px(lon), map.py(lat), 2.6);
  c.stroke();
}
