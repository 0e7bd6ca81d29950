import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import test from 'node:test';
import { feature } from 'topojson-client';
import { packCountries, simplify } from '../../ground.mjs';

const atlas = createRequire(import.meta.url)('world-atlas/countries-10m.json');

test('points near the line through the others are left out, ends and corners stay', () => {
  const points = [[0, 0], [1, 0.005], [2, 0], [2, 1], [2.004, 2], [2, 3]];
  assert.deepEqual(simplify(points, 0.01), [[0, 0], [2, 0], [2, 3]]);
  assert.deepEqual(simplify(points, 0.001), points);
});

test('a country keeps its extent to a kilometre or so, with half the vertices of all', () => {
  const packed = packCountries(atlas);
  assert.ok(count(packed) < count(atlas) / 2);
  const denmark = atlas.objects.countries.geometries.findIndex((each) => each.id === '208');
  const [before, after] = [atlas, packed].map((each) => findExtent(feature(each, each.objects.countries.geometries[denmark])));
  assert.ok(before[2] - before[0] > 5);
  before.forEach((edge, i) => assert.ok(Math.abs(edge - after[i]) < 0.015, `${edge} and ${after[i]}`));
});

function count(topology) {
  return topology.arcs.reduce((total, arc) => total + arc.length, 0);
}

/** West, south, east and north. */
function findExtent({ geometry }) {
  const points = geometry.coordinates.flat(2);
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
