import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateMeter, backoffMs, fingerprint, missingParts, partRange } from '../src/parts.js';

const MIB = 2 ** 20;

test('parts cover a file without gap or overlap', () => {
  const ranges = [1, 2, 3].map((number) => partRange(number, 16 * MIB, 40 * MIB));
  assert.deepEqual(ranges, [[0, 16 * MIB], [16 * MIB, 32 * MIB], [32 * MIB, 40 * MIB]]);
});

test('a part that the store has in full is not sent again', () => {
  const upload = { bytes: 40, part_bytes: 16, parts_done: [{ part_number: 1, bytes: 16 }, { part_number: 3, bytes: 8 }] };
  assert.deepEqual(missingParts(upload), [2]);
});

test('a part that came short is sent again', () => {
  assert.deepEqual(missingParts({ bytes: 40, part_bytes: 16, parts_done: [{ part_number: 2, bytes: 9 }] }), [1, 2, 3]);
});

test('a file of whole parts has no empty part at its end', () => {
  assert.deepEqual(missingParts({ bytes: 32, part_bytes: 16, parts_done: [] }), [1, 2]);
});

test('pauses double, spread, and stop growing', () => {
  assert.equal(backoffMs(0, 20_000, () => 0.5), 400);
  assert.equal(backoffMs(3, 20_000, () => 0.5), 3200);
  assert.equal(backoffMs(30, 20_000, () => 0.5), 20_000);
  assert.equal(backoffMs(0, 20_000, () => 0), 200);
});

test('another size or date is another file', () => {
  const file = { name: 'trips.csv', size: 10, lastModified: 5 };
  assert.notEqual(fingerprint(file), fingerprint({ ...file, size: 11 }));
  assert.notEqual(fingerprint(file), fingerprint({ ...file, lastModified: 6 }));
});

test('speed is that of the last seconds', () => {
  const meter = new RateMeter(2_000);
  assert.equal(meter.rate, 0);
  assert.equal(meter.secondsLeft(100), null);
  [[0, 0], [1_000, 1_000], [2_000, 1_010], [3_000, 1_020], [4_000, 1_030]].forEach(([now, value]) => meter.add(value, now));
  assert.equal(meter.rate, 10);
  assert.equal(meter.secondsLeft(1_130), 10);
});
