import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  boxAround, boxBetween, boxNear, boxSizeKm, containsBox, distanceKm, growBox, handlePoint, moveBox, resizeBox, unwrapBox, wrapBox, wrapLongitude,
} from '../src/boxmath.js';

const BOX = [10, 50, 12, 52];

test('two corners in any order make the same box', () => {
  assert.deepEqual(boxBetween([12, 50], [10, 52]), BOX);
  assert.deepEqual(boxBetween([10, 52], [12, 50]), BOX);
});

test('a moved box keeps its size', () => {
  assert.deepEqual(moveBox(BOX, [1, -1]), [11, 49, 13, 51]);
});

test('a box stops at the edge of the map without shrinking', () => {
  const [, south, , north] = moveBox(BOX, [0, 60]);
  assert.equal(north, 85.05);
  assert.ok(Math.abs(north - south - 2) < 1e-9);
});

test('a corner moves two edges, an edge one', () => {
  assert.deepEqual(resizeBox(BOX, 'ne', [13, 53]), [10, 50, 13, 53]);
  assert.deepEqual(resizeBox(BOX, 'sw', [9, 49]), [9, 49, 12, 52]);
  assert.deepEqual(resizeBox(BOX, 'w', [9, 0]), [9, 50, 12, 52]);
});

test('a corner pulled past the other side turns the box over', () => {
  assert.deepEqual(resizeBox(BOX, 'ne', [9, 49]), [9, 49, 10, 50]);
});

test('a handle stands on its edge or corner', () => {
  assert.deepEqual(handlePoint(BOX, 'nw'), [10, 52]);
  assert.deepEqual(handlePoint(BOX, 'e'), [12, 51]);
});

test('a box across the antimeridian has west > east for Python and west < east on the map', () => {
  assert.deepEqual(wrapBox([170, -20, 190, -10]), [170, -20, -170, -10]);
  assert.deepEqual(unwrapBox([170, -20, -170, -10]), [170, -20, 190, -10]);
  assert.deepEqual(unwrapBox(wrapBox([170, -20, 190, -10])), [170, -20, 190, -10]);
});

test('a box that ends on the antimeridian ends at 180, not at -180', () => {
  assert.deepEqual(wrapBox([170, 0, 180, 1]), [170, 0, 180, 1]);
});

test('a box drawn in another copy of the world is the same box', () => {
  assert.deepEqual(wrapBox([370, 50, 372, 52]), BOX);
  assert.deepEqual(boxNear(BOX, 371), [370, 50, 372, 52]);
});

test('a box around the whole world stays whole', () => {
  assert.deepEqual(wrapBox([-200, -10, 190, 10]), [-180, -10, 180, 10]);
});

test('coordinates are rounded to a tenth of a metre', () => {
  assert.deepEqual(wrapBox([10.00000049, 50, 12, 52.1234567]), [10, 50, 12, 52.123457]);
});

test('longitudes wrap into ±180', () => {
  assert.deepEqual([190, -190, 180, -180, 540].map(wrapLongitude), [-170, 170, -180, -180, -180]);
});

test('a view inside the padded one needs no report, one outside does', () => {
  const padded = growBox(BOX, 0.3);
  assert.ok(containsBox(padded, BOX));
  assert.ok(containsBox(padded, [370, 50, 372, 52]));
  assert.ok(!containsBox(BOX, padded));
});

test('places on both sides of the antimeridian get the narrow box', () => {
  assert.deepEqual(boxAround([179, -179], [-18, -17]), [179, -18, 181, -17]);
  assert.deepEqual(boxAround([10, 12], [50, 52]), BOX);
  assert.equal(boxAround([], []), null);
});

test('distances agree with the length of a degree', () => {
  assert.ok(Math.abs(distanceKm([0, 0], [0, 1]) - 111.195) < 0.001);
  const [width, height] = boxSizeKm([0, 60, 1, 61]);
  assert.ok(Math.abs(height - 111.195) < 0.001);
  assert.ok(width > 54 && width < 56);
});
