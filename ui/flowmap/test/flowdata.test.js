import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseScale, nearestTurn, placeTotals, selectedFlows } from '../src/flowdata.js';
import { radiusByZoom, toPoints } from '../src/density.js';

const DATA = {
  locations: { id: ['a', 'b', 'c'], longitude: [1, 2, 3], latitude: [1, 1, 1], in_trips: [7, 40, 0], out_trips: [40, 7, 0], internal_trips: [0, 3, 90] },
  flows: { origin: [1, 0, 2], destination: [0, 1, 2], trips: [7, 40, 90] },
};

test('a scale ends above the largest flow between two places', () => {
  assert.deepEqual(chooseScale(DATA, {}), { flow: 50, place: 100 });
});

test('a fixed scale wins over the data', () => {
  assert.deepEqual(chooseScale(DATA, { flow: 1000, place: 1530 }), { flow: 1000, place: 2000 });
});

test('trips within a place begin and end there', () => {
  assert.deepEqual(placeTotals(DATA.locations, 1), [43, 10]);
});

test('a flow is selected by its two ends, a place with all its flows', () => {
  assert.deepEqual([...selectedFlows(DATA, { origin: 'a', destination: 'b' })], [1]);
  assert.deepEqual([...selectedFlows(DATA, { location: 'a' })], [0, 1]);
  assert.deepEqual([...selectedFlows(DATA, { origin: 'a', destination: 'nowhere' })], []);
  assert.deepEqual([...selectedFlows(DATA, null)], []);
});

test('a flow takes the short way around the globe', () => {
  assert.equal(nearestTurn(179, -179), 181);
  assert.equal(nearestTurn(-179, 179), -181);
  assert.equal(nearestTurn(10, 20), 20);
});

test('the busiest cell weighs one, an empty map has no dots', () => {
  const density = { longitude: [1, 2], latitude: [1, 1], trips: [1, 99], cell: [0.1, 0.1] };
  assert.deepEqual(toPoints(density).features.map((dot) => dot.properties.weight), [0.151, 1]);
  assert.deepEqual(toPoints(null).features, []);
});

test('a dot doubles with every zoom level once it is large enough to see', () => {
  const [, , , , small, zoom, large] = radiusByZoom({ longitude: [10], latitude: [50], trips: [1], cell: [0.01, 0.006] });
  assert.equal(small, 0.9);
  assert.equal(zoom, 24);
  assert.ok(large > 1000);
});
