import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectFile } from '../src/sample.js';

const MIB = 2 ** 20;

async function listAsked(file, answers = [{ wanted: [] }]) {
  const asked = [];
  await inspectFile(file, async (sample, query) => {
    asked.push([sample.size, query.map((pair) => pair.join('=')).join(' ')]);
    return answers[asked.length - 1];
  });
  return asked;
}

function makeParquet(bytes, footer) {
  const last = new DataView(new ArrayBuffer(8));
  last.setUint32(0, footer, true);
  return new Blob(['PAR1', new Uint8Array(bytes - 12), last]);
}

test('a table is known by its beginning', async () => {
  assert.deepEqual(await listAsked(new Blob(['a,b'])), [[3, 'is_whole=true']]);
  assert.deepEqual(await listAsked(new Blob([new Uint8Array(3 * MIB)])), [[MIB, 'is_whole=false']]);
});

test('a small Parquet file is sent whole', async () => {
  assert.deepEqual(await listAsked(makeParquet(8 * MIB, 100)), [[8 * MIB, 'is_whole=true']]);
});

test('a large Parquet file is known by its end and by what the hub wants besides', async () => {
  const file = makeParquet(9 * MIB, 100);
  const ends = [`part=0:4`, `part=${9 * MIB - 108}:108`];
  assert.deepEqual(await listAsked(file, [{ wanted: [[4, 1000]] }, {}]), [
    [112, [`bytes=${9 * MIB}`, ...ends].join(' ')],
    [1112, [`bytes=${9 * MIB}`, ends[0], 'part=4:1000', ends[1]].join(' ')],
  ]);
});

test('a small workbook is sent whole, a large one by its beginning', async () => {
  const old = new Uint8Array([0xd0, 0xcf, 0x11, 0xe0]);
  for (const magic of ['PK\u0003\u0004', old]) {
    assert.deepEqual(await listAsked(new Blob([magic, new Uint8Array(3 * MIB - 4)])), [[3 * MIB, 'is_whole=true']]);
    assert.deepEqual(await listAsked(new Blob([magic, new Uint8Array(9 * MIB)])), [[MIB, 'is_whole=false']]);
  }
});

test('a footer that says nonsense leaves the beginning', async () => {
  assert.deepEqual(await listAsked(makeParquet(9 * MIB, 2 ** 31)), [[MIB, 'is_whole=false']]);
});
