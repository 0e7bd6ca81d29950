/**
 * Flows and places as deck.gl layers: flowmap.gl's lines and circles, fed with arrays made once per data change, so that
 * panning costs the graphics card only.
 */
import * as flowmapLayers from '@flowmap.gl/layers';
import { nearestTurn, placeTotals, selectedFlows } from './flowdata.js';
import { flowShade, flowThickness, mixColor, placeRadius } from './scale.js';

const FlowLinesLayer = makePickable(flowmapLayers.FlowLinesLayer, 'FlowLines');
const AnimatedFlowLinesLayer = makePickable(flowmapLayers.AnimatedFlowLinesLayer, 'MovingFlowLines');
const FlowCirclesLayer = makePickable(flowmapLayers.FlowCirclesLayer, 'FlowPlaces');

export const FLOW_LAYER = 'tripdeck-flows';
export const PLACE_LAYER = 'tripdeck-places';
const DIMMED = 0.22; // share of a flow's opacity while another is selected

/** deck.gl 9.4 no longer adds the attribute that flowmap.gl 9.4's shaders pick by. */
function makePickable(Layer, name) {
  return class extends Layer {
    static layerName = name;

    static componentName = name; // minified classes have no names of their own

    initializeState() {
      const update = this.calculateInstancePickingColors;
      this.getAttributeManager().addInstanced({ instancePickingColors: { type: 'uint8', size: 4, noAlloc: true, update } });
      super.initializeState(); // makes the model, which takes the attributes there are by then
    }
  };
}

/**
 * Layers of the map, lowest first.
 * @param {object} view
 * @param {import('./flowdata.js').FlowData} view.data @param {import('./flowdata.js').Scale} view.scale @param {import('./theme.js').Palette} view.palette
 * @param {import('./flowdata.js').Selection} view.selection @param {boolean} view.isAnimated
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
      getColor: { value: color, size: 4, normalized: true },
      getEndpointOffsets: { value: offsets, size: 2 },
      getStaggering: { value: staggering, size: 1 },
    },
  };
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
        getColor: { value: repeatColor(palette.circle, count), size: 4, normalized: true },
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
 * @param {any} info deck.gl picking info @param {import('./flowdata.js').FlowData} data
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
