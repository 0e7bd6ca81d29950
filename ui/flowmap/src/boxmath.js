/**
 * Box arithmetic, free of the DOM. A box is [west, south, east, north] in degrees, WGS 84.
 *
 * On the map west < east always holds: a box across the antimeridian runs past 180 (170 … 190). Python and the API say
 * west > east for the same box (170 … -170); wrapBox and unwrapBox translate.
 *
 * @typedef {[number, number, number, number]} Box
 * @typedef {[number, number]} Point longitude, latitude
 * @typedef {'n'|'ne'|'e'|'se'|'s'|'sw'|'w'|'nw'} Handle
 */

const LATITUDE_LIMIT = 85.05; // where the Mercator map ends
const EARTH_RADIUS_KM = 6371.0088; // IUGG mean radius
const DECIMALS = 6; // 0.1 m

/** Box between two corners. @param {Point} a @param {Point} b @returns {Box} */
export function boxBetween(a, b) {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])];
}

/** Box moved by degrees, kept on the map. @param {Box} box @param {Point} by @returns {Box} */
export function moveBox(box, [dx, dy]) {
  const down = Math.min(box[1], Math.max(-LATITUDE_LIMIT, box[1] + dy)) - box[1];
  const up = Math.max(box[3], Math.min(LATITUDE_LIMIT, box[3] + dy)) - box[3];
  const shift = dy < 0 ? down : up;
  return [box[0] + dx, box[1] + shift, box[2] + dx, box[3] + shift];
}

/** Box whose handle is dragged to a point; past the other side it turns over. @param {Box} box @param {Handle} handle @param {Point} to @returns {Box} */
export function resizeBox(box, handle, to) {
  const [west, south, east, north] = box;
  const x = handle.includes('w') ? [to[0], east] : handle.includes('e') ? [west, to[0]] : [west, east];
  const y = handle.includes('s') ? [to[1], north] : handle.includes('n') ? [south, to[1]] : [south, north];
  return boxBetween([x[0], clampLatitude(y[0])], [x[1], clampLatitude(y[1])]);
}

/** The point a handle stands on; the middle for an axis it does not touch. @param {Box} box @param {Handle} handle @returns {Point} */
export function handlePoint([west, south, east, north], handle) {
  const x = handle.includes('w') ? west : handle.includes('e') ? east : (west + east) / 2;
  const y = handle.includes('s') ? south : handle.includes('n') ? north : (south + north) / 2;
  return [x, y];
}

/** As Python says it: longitudes within ±180, west > east across the antimeridian, rounded. @param {Box} box @returns {Box} */
export function wrapBox([west, south, east, north]) {
  if (east - west >= 360) {
    return [-180, round(south), 180, round(north)];
  }
  const wrappedEast = wrapLongitude(east);
  return [round(wrapLongitude(west)), round(south), round(wrappedEast === -180 ? 180 : wrappedEast), round(north)];
}

/** As the map draws it: west < east. @param {Box} box @returns {Box} */
export function unwrapBox([west, south, east, north]) {
  return [west, south, east < west ? east + 360 : east, north];
}

/** The copy of a box that lies nearest to a longitude. @param {Box} box @param {number} longitude @returns {Box} */
export function boxNear(box, longitude) {
  const turns = Math.round((longitude - (box[0] + box[2]) / 2) / 360) * 360;
  return turns === 0 ? box : [box[0] + turns, box[1], box[2] + turns, box[3]];
}

/** Whether the inner box lies inside the outer, in any copy of the world. @param {Box} outer @param {Box} inner */
export function containsBox(outer, inner) {
  const near = boxNear(inner, (outer[0] + outer[2]) / 2);
  return outer[0] <= near[0] && outer[1] <= near[1] && near[2] <= outer[2] && near[3] <= outer[3];
}

/** Box grown by a share of its size on every side. @param {Box} box @param {number} share @returns {Box} */
export function growBox([west, south, east, north], share) {
  const dx = (east - west) * share;
  const dy = (north - south) * share;
  return [west - dx, clampLatitude(south - dy), east + dx, clampLatitude(north + dy)];
}

/** Smallest box around points, null without any; across the antimeridian when that is narrower. @param {number[]} longitudes @param {number[]} latitudes @returns {Box|null} */
export function boxAround(longitudes, latitudes) {
  if (longitudes.length === 0) {
    return null;
  }
  const [west, east] = extentOf(longitudes);
  const [south, north] = extentOf(latitudes);
  if (east - west <= 180) {
    return [west, south, east, north];
  }
  const [shiftedWest, shiftedEast] = extentOf(longitudes.map((longitude) => (longitude < 0 ? longitude + 360 : longitude)));
  return shiftedEast - shiftedWest < east - west ? [shiftedWest, south, shiftedEast, north] : [west, south, east, north];
}

/** Width and height in kilometres, width at the middle latitude. @param {Box} box @returns {[number, number]} */
export function boxSizeKm([west, south, east, north]) {
  const middle = (south + north) / 2;
  return [distanceKm([west, middle], [Math.min(east, west + 180), middle]), distanceKm([west, south], [west, north])];
}

/** Great-circle distance. Source: R. W. Sinnott, "Virtues of the Haversine" (1984). @param {Point} a @param {Point} b */
export function distanceKm(a, b) {
  const rad = Math.PI / 180;
  const dLat = (b[1] - a[1]) * rad;
  const dLon = (b[0] - a[0]) * rad;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a[1] * rad) * Math.cos(b[1] * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** @param {number} latitude */
export function clampLatitude(latitude) {
  return Math.max(-LATITUDE_LIMIT, Math.min(LATITUDE_LIMIT, latitude));
}

/** @param {number} longitude @returns {number} -180 ≤ longitude < 180 */
export function wrapLongitude(longitude) {
  return longitude - 360 * Math.floor((longitude + 180) / 360);
}

/** @param {number[]} values @returns {[number, number]} */
function extentOf(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** @param {number} degrees */
function round(degrees) {
  return Number(degrees.toFixed(DECIMALS));
}
