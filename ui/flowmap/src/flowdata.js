/**
 * What the flows say, free of drawing.
 *
 * @typedef {object} FlowData as Python sends it: places as columns, flows by index into them, smallest flow first
 * @property {{id: string[], longitude: number[], latitude: number[], in_trips: number[], out_trips: number[], internal_trips: number[]}} locations
 * @property {{origin: number[], destination: number[], trips: number[]}} flows
 *
 * @typedef {{origin: string, destination: string}|{location: string}|null} Selection
 * @typedef {{flow: number, place: number}} Scale largest value of each scale, in trips
 */
import { niceCeil } from './scale.js';

/** @type {FlowData} */
export const NO_FLOWS = {
  locations: { id: [], longitude: [], latitude: [], in_trips: [], out_trips: [], internal_trips: [] },
  flows: { origin: [], destination: [], trips: [] },
};

/** Scale for the data, ending at round numbers: above what Python fixed, else above what is shown. @param {FlowData} data @param {Partial<Scale>} fixed @returns {Scale} */
export function chooseScale(data, fixed) {
  const { locations, flows } = data;
  const mostFlow = flows.trips.reduce((high, trips, i) => (flows.origin[i] === flows.destination[i] ? high : Math.max(high, trips)), 0);
  const mostPlace = locations.id.reduce((high, _, i) => Math.max(high, ...placeTotals(locations, i)), 0);
  return { flow: niceCeil(fixed.flow ?? mostFlow), place: niceCeil(fixed.place ?? mostPlace) };
}

/** Trips that end and that begin at a place, those within it in both. @param {FlowData['locations']} locations @param {number} i @returns {[number, number]} */
export function placeTotals(locations, i) {
  const within = locations.internal_trips[i];
  return [locations.in_trips[i] + within, locations.out_trips[i] + within];
}

/** Numbers of the flows a selection names. @param {FlowData} data @param {Selection} selection @returns {Set<number>} */
export function selectedFlows(data, selection) {
  const chosen = new Set();
  if (!selection) {
    return chosen;
  }
  const { id } = data.locations;
  data.flows.trips.forEach((_, i) => {
    const [origin, destination] = [id[data.flows.origin[i]], id[data.flows.destination[i]]];
    const hit =
      'location' in selection
        ? selection.location === origin || selection.location === destination
        : selection.origin === origin && selection.destination === destination;
    if (hit) chosen.add(i);
  });
  return chosen;
}

/** The copy of a longitude that makes the shorter way, across the antimeridian too. @param {number} from @param {number} to */
export function nearestTurn(from, to) {
  return to - from > 180 ? to - 360 : from - to > 180 ? to + 360 : to;
}
