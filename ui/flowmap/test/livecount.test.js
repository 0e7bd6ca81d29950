import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { LiveCount } from '../src/livecount.js';

/** A hub that answers when it is told to. */
class Hub {
  constructor() {
    this.requests = [];
    this.arrivals = [];
    this.server = createServer((request, response) => {
      const seen = { url: new URL(request.url, 'http://hub'), headers: request.headers, response, isGone: false };
      response.on('close', () => (seen.isGone = !response.writableEnded));
      this.requests.push(seen);
      this.arrivals.splice(0).forEach((go) => go());
    });
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  /** The request of that number, once it has come. */
  async request(number) {
    while (this.requests.length <= number) {
      await new Promise((resolve) => this.arrivals.push(resolve));
    }
    return this.requests[number];
  }

  answer({ response }, trips, status = 200) {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ trips, weekly_average: trips / 4 }));
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

let hub;
let count;
let seen;

beforeEach(async () => {
  hub = new Hub();
  await hub.start();
  seen = [];
  count = new LiveCount((answer, area) => {
    seen.push([area.bbox, answer]);
    hub.arrivals.splice(0).forEach((go) => go());
  });
  count.configure({ url: hub.url, token: null, filters: { region: 'Turin', end: 'both' } });
});

afterEach(() => {
  count.stop();
  hub.stop();
});

const until = async (isTrue) => {
  const deadline = Date.now() + 5000;
  while (!isTrue()) {
    assert.ok(Date.now() < deadline, 'it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

test('an area is counted under the filters, with a token where there is one', async () => {
  count.configure({ url: hub.url, token: 'read.1.abc', filters: { region: 'Turin', end: 'both' } });
  count.follow({ bbox: '1' });
  const request = await hub.request(0);
  assert.equal(request.url.pathname, '/api/v1/weekly-average');
  assert.deepEqual(Object.fromEntries(request.url.searchParams), { region: 'Turin', end: 'both', bbox: '1' });
  assert.equal(request.headers.authorization, 'Bearer read.1.abc');
  hub.answer(request, 12);
  await until(() => seen.length === 1);
  assert.deepEqual(seen, [['1', { state: 'counted', trips: 12, average: 3 }]]);
});

test('while one is counted only the newest waits', async () => {
  count.follow({ bbox: '1' });
  const first = await hub.request(0);
  count.follow({ bbox: '2' });
  count.follow({ bbox: '3' });
  hub.answer(first, 1);
  const second = await hub.request(1);
  assert.equal(second.url.searchParams.get('bbox'), '3');
  hub.answer(second, 3);
  await until(() => seen.length === 2);
  assert.deepEqual(seen.map(([bbox]) => bbox), ['1', '3']);
  assert.equal(hub.requests.length, 2);
});

test('a late answer is not waited for when the area has moved on', async () => {
  count.follow({ bbox: '1' });
  const first = await hub.request(0);
  count.follow({ bbox: '2' });
  const second = await hub.request(1);
  await until(() => first.isGone);
  hub.answer(second, 2);
  await until(() => seen.length === 1);
  assert.equal(seen[0][0], '2');
});

test('where the area comes to rest, what runs is aborted', async () => {
  count.follow({ bbox: '1' });
  const first = await hub.request(0);
  count.settle({ bbox: '2' });
  hub.answer(await hub.request(1), 2);
  await until(() => seen.length === 1 && first.isGone);
  count.settle({ bbox: '2' });
  count.follow({ bbox: '2' });
  assert.deepEqual([seen[0][0], hub.requests.length], ['2', 2]);
});

test('other filters count the same area anew', async () => {
  count.settle({ bbox: '1' });
  hub.answer(await hub.request(0), 1);
  await until(() => seen.length === 1);
  count.configure({ url: hub.url, token: 'another', filters: { region: 'Turin', end: 'both' } });
  count.configure({ url: hub.url, token: null, filters: { region: 'Prague', end: 'both' } });
  const second = await hub.request(1);
  assert.equal(second.url.searchParams.get('region'), 'Prague');
  assert.equal(hub.requests.length, 2);
});

test('a hub that is away is asked again until it is back', async () => {
  count.settle({ bbox: '1' });
  hub.answer(await hub.request(0), 0, 503);
  await until(() => seen.length === 1);
  assert.deepEqual(seen[0], ['1', { state: 'away' }]);
  hub.answer(await hub.request(1), 8);
  await until(() => seen.length === 2);
  assert.deepEqual(seen[1], ['1', { state: 'counted', trips: 8, average: 2 }]);
});

test('a question that makes no sense is asked once', async () => {
  count.settle({ bbox: '1' });
  hub.answer(await hub.request(0), 0, 422);
  await until(() => seen.length === 1);
  assert.deepEqual(seen[0], ['1', { state: 'refused' }]);
  assert.equal(count.failures, 0);
});
