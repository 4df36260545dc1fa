// Where satellites and the Sun are, from the scene's elements: circular orbits under the secular effect of J2, the same
// formulas as ascnode.sky.constellation. Shadow here is the cylinder behind the Earth, within seconds of the cone.

const DEG = 180 / Math.PI;

export class Sky {
  constructor(scene) {
    this.earth = scene.earth;
    this.planes = scene.planes;
    const n = scene.names.length;
    this.count = n;
    this.longitude = new Float32Array(n); // deg
    this.latitude = new Float32Array(n); // deg
    this.lit = new Uint8Array(n);
    this.sun = { longitude: 0, latitude: 0 }; // the subsolar point, deg
    this.turns = new Map(); // of each plane size: cosines and sines of its slots
    for (const size of this.planes.per_plane) if (!this.turns.has(size)) this.turns.set(size, slotTurns(size));
  }

  at(t) {
    const gmst = this.earth.gmst_rad + this.earth.turn_rad_s * t;
    const sun = sunFixed(this.earth, gmst, t);
    this.sun.longitude = wrapped(Math.atan2(sun[1], sun[0]) * DEG);
    this.sun.latitude = Math.asin(sun[2]) * DEG;
    for (let p = 0; p < this.planes.first.length; p++) this.plane(p, t, gmst, sun);
  }

  plane(p, t, gmst, sun) {
    const { first, per_plane, radius_km, inclination_rad, raan_rad, latitude_rad } = this.planes;
    const node = raan_rad[p] + this.planes.node_rate_rad_s[p] * t - gmst;
    const u0 = latitude_rad[p] + this.planes.latitude_rate_rad_s[p] * t;
    const cu0 = Math.cos(u0), su0 = Math.sin(u0), cn = Math.cos(node), sn = Math.sin(node);
    const ci = Math.cos(inclination_rad[p]), si = Math.sin(inclination_rad[p]);
    const limb = Math.sqrt(Math.max(0, 1 - (this.earth.radius_km / radius_km[p]) ** 2));
    const turns = this.turns.get(per_plane[p]);
    for (let k = 0, i = first[p]; k < per_plane[p]; k++, i++) {
      const c = cu0 * turns[2 * k] - su0 * turns[2 * k + 1], s = su0 * turns[2 * k] + cu0 * turns[2 * k + 1];
      const x = cn * c - sn * s * ci, y = sn * c + cn * s * ci, z = s * si;
      this.longitude[i] = Math.atan2(y, x) * DEG;
      this.latitude[i] = Math.asin(z) * DEG;
      this.lit[i] = x * sun[0] + y * sun[1] + z * sun[2] > -limb ? 1 : 0;
    }
  }

  sunlit() {
    let lit = 0;
    for (let i = 0; i < this.count; i++) lit += this.lit[i];
    return lit;
  }

  // The latitude where day meets night at a longitude, both in deg.
  terminator(longitude) {
    const declination = this.sun.latitude / DEG;
    const tilt = Math.abs(declination) < 1e-4 ? 1e-4 : declination; // at an equinox it runs through the poles
    return Math.atan(-Math.cos((longitude - this.sun.longitude) / DEG) / Math.tan(tilt)) * DEG;
  }
}

function slotTurns(size) {
  const turns = new Float64Array(2 * size);
  for (let k = 0; k < size; k++) {
    turns[2 * k] = Math.cos((2 * Math.PI * k) / size);
    turns[2 * k + 1] = Math.sin((2 * Math.PI * k) / size);
  }
  return turns;
}

function sunFixed(earth, gmst, t) {
  const at = Math.min(Math.max(0, t / earth.sun_every_s), earth.sun.length - 1.001);
  const i = Math.floor(at), share = at - i;
  const [x, y, z] = earth.sun[i].map((value, axis) => value + share * (earth.sun[i + 1][axis] - value));
  const c = Math.cos(gmst), s = Math.sin(gmst), length = Math.hypot(x, y, z);
  return [(x * c + y * s) / length, (y * c - x * s) / length, z / length];
}

export function wrapped(longitude) {
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}
