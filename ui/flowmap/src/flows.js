/**
 * Flows and places as deck.gl layers: flowmap.gl's lines and circles, fed with arrays made once per data change, so that
 * panning costs the graphics card only.
 *
 * @typedef {object} FlowData as Python sends it: places as columns, flows by index into them, smallest flow first
 * @property {{id: string[], longitude: number[], latitude: number[], in_trips: number[], out_trips: number[], internal_trips: number[]}} locations
 * @property {{origin: number[], destination: number[], trips: number[]}} flows
 *
 * @typedef {{origin: string, destination: string}|{location: string}|null} Selection
 * @typedef {{flow: number, place: number}} Scale largest value of each scale, in trips
 */
import { AnimatedFlowLinesLayer, FlowCirclesLayer, FlowLinesLayer } from '@flowmap.gl/layers';
import { flowShade, flowThickness, mixColor, niceCeil, placeRadius } from './scale.js';

export const FLOW_LAYER = 'tripdeck-flows';
export const PLACE_LAYER = 'tripdeck-places';
const DIMMED = 0.22; // share of a flow's opacity while another is selected

/** @type {FlowData} */
export const NO_FLOWS = {
  locations: { id: [], longitude: [], latitude: [], in_trips: [], out_trips: [], internal_trips: [] },
  flows: { origin: [], destination: [], trips: [] },
};

/** Scale for the data: the fixed ends Python gives, else round numbers above what is shown. @param {FlowData} data @param {Partial<Scale>} fixed @returns {Scale} */
export function chooseScale(data, fixed) {
  const { locations, flows } = data;
  const mostFlow = flows.trips.reduce((high, trips, i) => (flows.origin[i] === flows.destination[i] ? high : Math.max(high, trips)), 0);
  const mostPlace = locations.id.reduce((high, _, i) => Math.max(high, ...placeTotals(locations, i)), 0);
  return { flow: fixed.flow ?? niceCeil(mostFlow), place: fixed.place ?? niceCeil(mostPlace) };
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

/**
 * Layers of the map, lowest first.
 * @param {object} view
 * @param {FlowData} view.data @param {Scale} view.scale @param {import('./theme.js').Palette} view.palette
 * @param {Selection} view.selection @param {boolean} view.isAnimated
 */
export function makeFlowLayers({ data, scale, palette, selection, isAnimated }) {
  const chosen = selectedFlows(data, selection);
  const isDimmed = chosen.size > 0;
  const all = data.flows.trips.map((_, i) => i).filter((i) => data.flows.origin[i] !== data.flows.destination[i]);
  const lines = { pickable: true, outlineColor: palette.outline, drawOutline: true, parameters: { depthTest: false } };
  const Lines = isAnimated ? AnimatedFlowLinesLayer : FlowLinesLayer;
  const layers = [
    new Lines({
      ...lines,
      id: isAnimated ? `${FLOW_LAYER}-moving` : FLOW_LAYER,
      data: lineAttributes({ data, scale, numbers: all, colorOf: (i) => fade(flowColor(data, scale, palette, i), isDimmed) }),
      flowNumbers: all,
    }),
  ];
  if (isDimmed) {
    const numbers = all.filter((i) => chosen.has(i));
    layers.push(
      new FlowLinesLayer({
        ...lines,
        id: `${FLOW_LAYER}-selected`,
        data: lineAttributes({ data, scale, numbers, colorOf: () => palette.selected }),
        flowNumbers: numbers,
      }),
    );
  }
  layers.push(makePlaceLayer(data, scale, palette));
  return layers;
}

function flowColor(data, scale, palette, i) {
  return mixColor(palette.flows, flowShade(data.flows.trips[i], scale.flow));
}

function fade(color, isDimmed) {
  return isDimmed ? [color[0], color[1], color[2], Math.round(color[3] * DIMMED)] : color;
}

/** flowmap.gl's binary attributes for some of the flows. */
function lineAttributes({ data, scale, numbers, colorOf }) {
  const { locations, flows } = data;
  const source = new Float64Array(numbers.length * 3);
  const target = new Float64Array(numbers.length * 3);
  const thickness = new Float32Array(numbers.length);
  const color = new Uint8Array(numbers.length * 4);
  const offsets = new Float32Array(numbers.length * 2);
  const staggering = new Float32Array(numbers.length);
  numbers.forEach((i, n) => {
    const [origin, destination] = [flows.origin[i], flows.destination[i]];
    source.set([locations.longitude[origin], locations.latitude[origin], 0], n * 3);
    target.set([nearestTurn(locations.longitude[origin], locations.longitude[destination]), locations.latitude[destination], 0], n * 3);
    thickness[n] = flowThickness(flows.trips[i], scale.flow);
    color.set(colorOf(i), n * 4);
    offsets.set([outerRadius(locations, origin, scale), outerRadius(locations, destination, scale)], n * 2);
    staggering[n] = (i * 0.618034) % 1; // golden ratio: neighbours never move in step
  });
  return {
    length: numbers.length,
    attributes: {
      getSourcePosition: { value: source, size: 3 },
      getTargetPosition: { value: target, size: 3 },
      getThickness: { value: thickness, size: 1 },
      getColor: { value: color, size: 4 },
      getEndpointOffsets: { value: offsets, size: 2 },
      getStaggering: { value: staggering, size: 1 },
    },
  };
}

/** The copy of a longitude that makes the shorter way, across the antimeridian too. @param {number} from @param {number} to */
export function nearestTurn(from, to) {
  return to - from > 180 ? to - 360 : from - to > 180 ? to + 360 : to;
}

function outerRadius(locations, i, scale) {
  return placeRadius(Math.max(...placeTotals(locations, i)), scale.place);
}

function makePlaceLayer(data, scale, palette) {
  const { locations } = data;
  const count = locations.id.length;
  const position = new Float64Array(count * 3);
  const inRadius = new Float32Array(count);
  const outRadius = new Float32Array(count);
  for (let i = 0; i < count; i += 1) {
    const [into, out] = placeTotals(locations, i);
    position.set([locations.longitude[i], locations.latitude[i], 0], i * 3);
    inRadius[i] = placeRadius(into, scale.place);
    outRadius[i] = placeRadius(out, scale.place);
  }
  return new FlowCirclesLayer({
    id: PLACE_LAYER,
    pickable: true,
    emptyColor: palette.circleEmpty,
    outlineEmptyMix: 0.4,
    data: {
      length: count,
      attributes: {
        getPosition: { value: position, size: 3 },
        getInRadius: { value: inRadius, size: 1 },
        getOutRadius: { value: outRadius, size: 1 },
        getColor: { value: repeatColor(palette.circle, count), size: 4 },
        getOutOfScale: { value: new Float32Array(count), size: 1 },
      },
    },
  });
}

function repeatColor(color, count) {
  const colors = new Uint8Array(count * 4);
  for (let i = 0; i < count; i += 1) {
    colors.set(color, i * 4);
  }
  return colors;
}

/**
 * What a picked object is, null for nothing of ours.
 * @param {any} info deck.gl picking info @param {FlowData} data
 * @returns {{kind: 'flow', number: number}|{kind: 'location', number: number}|null}
 */
export function readPick(info, data) {
  if (!info?.layer || info.index < 0) {
    return null;
  }
  if (info.layer.id === PLACE_LAYER && info.index < data.locations.id.length) {
    return { kind: 'location', number: info.index };
  }
  const number = info.layer.id.startsWith(FLOW_LAYER) ? info.layer.props.flowNumbers[info.index] : undefined;
  return number === undefined ? null : { kind: 'flow', number };
}
