/**
 * Arithmetic of shapes, free of the DOM. A shape is its rings, a ring its vertices in degrees, WGS 84, the first not repeated at
 * the end. A ring across the antimeridian goes on beyond ±180. A position is inside where a ray crosses an odd number of edges.
 *
 * @typedef {import('./boxmath.js').Point} Point
 * @typedef {Point[]} Ring
 * @typedef {Ring[]} Rings
 * @typedef {{ring: number, vertex: number}} VertexAt
 */
import { boxSizeKm, clampLatitude } from './boxmath.js';

export const LEAST_VERTICES = 3;
const DECIMALS = 6; // 0.1 m

/** The rings with one vertex elsewhere. @param {Rings} rings @param {VertexAt} at @param {Point} to @returns {Rings} */
export function moveVertex(rings, at, to) {
  return changeRing(rings, at.ring, (ring) => ring.with(at.vertex, [to[0], clampLatitude(to[1])]));
}

/** The rings with another vertex after one. @param {Rings} rings @param {VertexAt} after @param {Point} point @returns {Rings} */
export function insertVertex(rings, after, point) {
  return changeRing(rings, after.ring, (ring) => ring.toSpliced(after.vertex + 1, 0, point));
}

/** The rings without a vertex; a ring of three vertices goes with it, null when none is left. @param {Rings} rings @param {VertexAt} at @returns {Rings|null} */
export function removeVertex(rings, at) {
  if (rings[at.ring].length > LEAST_VERTICES) {
    return changeRing(rings, at.ring, (ring) => ring.toSpliced(at.vertex, 1));
  }
  return rings.length > 1 ? rings.toSpliced(at.ring, 1) : null;
}

/** The rings moved by degrees, kept on the map. @param {Rings} rings @param {Point} by @returns {Rings} */
export function moveRings(rings, [dx, dy]) {
  const [, south, , north] = boundsOf(rings);
  const shift = dy < 0 ? clampLatitude(south + dy) - south : clampLatitude(north + dy) - north;
  return rings.map((ring) => ring.map(([x, y]) => [x + dx, y + shift]));
}

/** The middle of the edge that begins at a vertex. @param {Ring} ring @param {number} vertex @returns {Point} */
export function midpoint(ring, vertex) {
  const [a, b] = [ring[vertex], ring[(vertex + 1) % ring.length]];
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** The box around all rings. @param {Rings} rings @returns {import('./boxmath.js').Box} */
export function boundsOf(rings) {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of rings.flat()) {
    [west, south, east, north] = [Math.min(west, x), Math.min(south, y), Math.max(east, x), Math.max(north, y)];
  }
  return [west, south, east, north];
}

/** The copy of a shape that lies nearest to a longitude. @param {Rings} rings @param {number} longitude @returns {Rings} */
export function ringsNear(rings, longitude) {
  const [west, , east] = boundsOf(rings);
  return turn(rings, Math.round((longitude - (west + east) / 2) / 360));
}

/** As Python takes it: the middle within ±180 degrees, rounded. @param {Rings} rings @returns {Rings} */
export function wrapRings(rings) {
  return ringsNear(rings, 0).map((ring) => ring.map(([x, y]) => [round(x), round(y)]));
}

/** As GeoJSON, each ring a polygon of its own: the hub counts crossings. @param {Rings} rings */
export function toGeoJson(rings) {
  return { type: 'MultiPolygon', coordinates: wrapRings(rings).map((ring) => [[...ring, ring[0]]]) };
}

/** Area in km² by the even-odd rule where no rings cross: holes taken off by how deep they lie. @param {Rings} rings */
export function areaKm2(rings) {
  const total = rings.reduce((sum, ring, i) => {
    const depth = rings.filter((other, j) => i !== j && isInside(ring[0], other)).length;
    return sum + (depth % 2 ? -1 : 1) * Math.abs(ringArea(ring));
  }, 0);
  const [west, south, east, north] = boundsOf(rings);
  const [width, height] = boxSizeKm([west, south, east, north]);
  return east > west && north > south ? (total / ((east - west) * (north - south))) * width * height : 0;
}

/** @param {Ring} ring */
function ringArea(ring) {
  return ring.reduce((sum, [x, y], i) => sum + x * ring[(i + 1) % ring.length][1] - y * ring[(i + 1) % ring.length][0], 0) / 2;
}

/** @param {Point} point @param {Ring} ring */
function isInside([x, y], ring) {
  return ring.reduce((inside, [ax, ay], i) => {
    const [bx, by] = ring[(i + 1) % ring.length];
    const crosses = ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax;
    return crosses ? !inside : inside;
  }, false);
}

/** @param {Rings} rings @param {number} number @param {(ring: Ring) => Ring} change @returns {Rings} */
function changeRing(rings, number, change) {
  return rings.with(number, change(rings[number]));
}

/** @param {Rings} rings @param {number} turns @returns {Rings} */
function turn(rings, turns) {
  return turns === 0 ? rings : rings.map((ring) => ring.map(([x, y]) => [x + 360 * turns, y]));
}

/** @param {number} degrees */
function round(degrees) {
  return Number(degrees.toFixed(DECIMALS));
}
