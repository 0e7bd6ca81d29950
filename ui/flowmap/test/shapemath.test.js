import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areaKm2, boundsOf, insertVertex, midpoint, moveRings, moveVertex, removeVertex, ringsNear, toGeoJson, wrapRings } from '../src/shapemath.js';

const SQUARE = [[7, 45], [8, 45], [8, 46], [7, 46]];
const HOLE = [[7.25, 45.25], [7.75, 45.25], [7.75, 45.75], [7.25, 45.75]];

test('a vertex is moved, inserted and removed, and the rings before stay as they were', () => {
  const rings = [SQUARE, HOLE];
  assert.deepEqual(moveVertex(rings, { ring: 1, vertex: 2 }, [7.8, 99])[1][2], [7.8, 85.05]);
  const more = insertVertex(rings, { ring: 0, vertex: 3 }, midpoint(SQUARE, 3));
  assert.deepEqual(more[0][4], [7, 45.5]);
  assert.deepEqual(removeVertex(more, { ring: 0, vertex: 4 }), rings);
  assert.deepEqual(rings, [SQUARE, HOLE]);
});

test('a triangle goes with its vertex, and the last ring with the shape', () => {
  const triangle = SQUARE.slice(0, 3);
  assert.deepEqual(removeVertex([SQUARE, triangle], { ring: 1, vertex: 0 }), [SQUARE]);
  assert.equal(removeVertex([triangle], { ring: 0, vertex: 0 }), null);
});

test('a shape stays on the map while it moves', () => {
  assert.deepEqual(boundsOf(moveRings([SQUARE], [1, -0.5])), [8, 44.5, 9, 45.5]);
  const [, , , north] = boundsOf(moveRings([SQUARE], [0, 80]));
  assert.ok(Math.abs(north - 85.05) < 1e-9, String(north));
});

test('a shape over the antimeridian is one, in whatever copy of the world', () => {
  const fiji = [[177, -18], [181, -18], [181, -16]];
  assert.deepEqual(wrapRings(ringsNear([fiji], -180)), [fiji]);
  assert.deepEqual(ringsNear([fiji], -180)[0][1], [-179, -18]);
});

test('GeoJSON has each ring closed', () => {
  assert.deepEqual(toGeoJson([SQUARE]), { type: 'MultiPolygon', coordinates: [[[...SQUARE, SQUARE[0]]]] });
});

test('holes are taken off the area, islands in them added', () => {
  const whole = areaKm2([SQUARE]);
  assert.ok(Math.abs(whole - 8700) < 100, String(whole));
  assert.ok(Math.abs(areaKm2([SQUARE, HOLE]) / whole - 0.75) < 1e-9);
  const island = HOLE.map(([x, y]) => [7.5 + (x - 7.5) / 2, 45.5 + (y - 45.5) / 2]);
  assert.ok(Math.abs(areaKm2([SQUARE, HOLE, island]) / whole - 0.8125) < 1e-9);
  assert.equal(areaKm2([[[7, 45], [8, 45], [9, 45]]]), 0);
});
