// Marks of the map, each added to a path.

export function cross(c, x, y, r) {
  c.moveTo(x - r, y); c.lineTo(x + r, y);
  c.moveTo(x, y - r); c.lineTo(x, y + r);
}

export function saltire(c, x, y, r) {
  c.moveTo(x - r, y - r); c.lineTo(x + r, y + r);
  c.moveTo(x - r, y + r); c.lineTo(x + r, y - r);
}

export function diamond(c, x, y, r) {
  c.moveTo(x, y - r); c.lineTo(x + r, y); c.lineTo(x, y + r); c.lineTo(x - r, y); c.closePath();
}

// Point up for way -1, down for 1.
export function triangle(c, x, y, r, way) {
  c.moveTo(x, y + way * r); c.lineTo(x + r, y - way * r); c.lineTo(x - r, y - way * r); c.closePath();
}
