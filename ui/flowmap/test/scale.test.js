import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowShade, flowThickness, formatCount, formatDistance, formatPoint, legendSteps, mixColor, niceCeil, placeRadius } from '../src/scale.js';

test('a scale ends at the next 1, 2 or 5', () => {
  assert.deepEqual([0, 1, 3, 5, 5.1, 87, 499, 500, 1234].map(niceCeil), [1, 1, 5, 5, 10, 100, 500, 500, 2000]);
});

test('width is proportional to trips and stops at the end of the scale', () => {
  assert.equal(flowThickness(500, 500), 2 * flowThickness(250, 500));
  assert.equal(flowThickness(9000, 500), flowThickness(500, 500));
  assert.ok(flowThickness(1, 1_000_000) > 0);
});

test('the same trips are as wide whatever else is shown', () => {
  assert.equal(flowThickness(120, 500), flowThickness(120, 500));
  assert.notEqual(flowThickness(120, 500), flowThickness(120, 1000));
});

test('the area of a circle is proportional to trips', () => {
  assert.ok(Math.abs(placeRadius(400, 400) / placeRadius(100, 400) - 2) < 1e-9);
  assert.equal(placeRadius(0, 400), 0);
});

test('more trips are never paler', () => {
  const shades = [1, 10, 100, 1000].map((trips) => flowShade(trips, 1000));
  assert.deepEqual(shades, [...shades].sort((a, b) => a - b));
});

test('the legend counts whole trips and repeats none', () => {
  assert.deepEqual(legendSteps(500), [500, 250, 50]);
  assert.deepEqual(legendSteps(1), [1]);
});

test('colours mix between their stops', () => {
  const stops = [[0, 0, 0, 0], [100, 100, 100, 100], [200, 0, 0, 255]];
  assert.deepEqual(mixColor(stops, 0), [0, 0, 0, 0]);
  assert.deepEqual(mixColor(stops, 0.5), [100, 100, 100, 100]);
  assert.deepEqual(mixColor(stops, 1), [200, 0, 0, 255]);
});

test('numbers read as people write them', () => {
  assert.equal(formatCount(1_234_567), '1\u202f234\u202f567');
  assert.equal(formatDistance(0.85), '850 m');
  assert.equal(formatDistance(7.31), '7.3 km');
  assert.equal(formatDistance(1234), '1\u202f234 km');
  assert.equal(formatPoint(-7.6869, 45.0703), '7.6869° W 45.0703° N');
});
