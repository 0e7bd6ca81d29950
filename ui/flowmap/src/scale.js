/** Scales of the map: trips to widths, radii and shades. A scale is fixed by its largest value, so pictures stay comparable. */

const MIN_THICKNESS = 0.03; // of flowmap.gl's 0 … 0.5; below it a line breaks up on a screen of 1 pixel per point
const MAX_THICKNESS = 0.42;
export const LINE_UNIT_PX = 24; // flowmap.gl draws a thickness of 0.5 as 12 pixels
const MAX_RADIUS_PX = 13;
const MIN_RADIUS_PX = 2;

/** Next 1, 2 or 5 times a power of ten. @param {number} value */
export function niceCeil(value) {
  if (!(value > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((candidate) => candidate * power >= value * (1 - 1e-9)) ?? 10;
  return Math.max(1, step * power);
}

/** Thickness of a flow, proportional to its trips up to the scale's end. @param {number} trips @param {number} most */
export function flowThickness(trips, most) {
  return Math.max(MIN_THICKNESS, MAX_THICKNESS * Math.min(1, trips / most));
}

/** Radius of a place's circle: its area is proportional to the trips. @param {number} trips @param {number} most */
export function placeRadius(trips, most) {
  return trips > 0 ? Math.max(MIN_RADIUS_PX, MAX_RADIUS_PX * Math.sqrt(Math.min(1, trips / most))) : 0;
}

/** Shade from 0 to 1; a cube root keeps the many small flows apart. @param {number} trips @param {number} most */
export function flowShade(trips, most) {
  return Math.cbrt(Math.min(1, Math.max(0, trips / most)));
}

/** Numbers that the legend shows, largest first, without repeats. @param {number} most @returns {number[]} */
export function legendSteps(most) {
  const steps = [most, most / 2, most / 10].map((value) => Math.max(1, Math.round(value)));
  return [...new Set(steps)];
}

/** Colour between two or more stops. @param {number[][]} stops @param {number} share 0 to 1 @returns {number[]} */
export function mixColor(stops, share) {
  const place = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  const part = place - index;
  return stops[index].map((channel, i) => Math.round(channel + (stops[index + 1][i] - channel) * part));
}

const numbers = new Intl.NumberFormat('en');

/** 12 345, with a narrow space that doesn't break, as everywhere on the page. @param {number} value */
export function formatCount(value) {
  return numbers.format(value).replaceAll(',', '\u202f');
}

const averages = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** 1 234.5; a dash where there is no week to average over. @param {number|null} average */
export function formatAverage(average) {
  return average === null ? '–' : averages.format(average).replaceAll(',', '\u202f');
}

/** 850 m, 7.3 km, 120 km @param {number} km */
export function formatDistance(km) {
  if (km < 1) {
    return `${Math.round(km * 1000)} m`;
  }
  return `${km < 10 ? km.toFixed(1) : formatCount(Math.round(km))} km`;
}

/** 0.42 km², 7.3 km², 120 km² @param {number} km2 */
export function formatArea(km2) {
  return `${km2 < 1 ? km2.toPrecision(2) : km2 < 10 ? km2.toFixed(1) : formatCount(Math.round(km2))} km²`;
}

/** 7.6869° E 45.0703° N @param {number} longitude @param {number} latitude */
export function formatPoint(longitude, latitude) {
  const x = `${Math.abs(longitude).toFixed(4)}° ${longitude < 0 ? 'W' : 'E'}`;
  const y = `${Math.abs(latitude).toFixed(4)}° ${latitude < 0 ? 'S' : 'N'}`;
  return `${x} ${y}`;
}
