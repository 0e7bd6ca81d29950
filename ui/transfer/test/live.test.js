import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { FeedModel } from '../src/feedmodel.js';
import { Live } from '../src/live.js';

globalThis.window = globalThis;
const page = new EventTarget();
Object.assign(globalThis, { addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page), dispatchEvent: page.dispatchEvent.bind(page) });

let sockets;
let events;
let statuses;

function makeLive(getToken = () => null) {
  const connect = (url, protocols) => {
    const socket = { url, protocols, close() {} };
    sockets.push(socket);
    return socket;
  };
  const live = new Live({
    url: 'http://hub:1/', path: '/ws/loads', getToken, connect,
    onEvent: (event, isNews) => events.push([event.load_id, event.position, isNews]),
    onStatus: (status) => statuses.push(status),
  });
  live.start();
  return live;
}

const say = (socket, message) => socket.onmessage({ data: JSON.stringify(message) });

beforeEach(() => {
  sockets = [];
  events = [];
  statuses = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

test('begins with a snapshot, which is no news', () => {
  makeLive();
  assert.equal(sockets[0].url, 'ws://hub:1/ws/loads');
  say(sockets[0], { kind: 'snapshot', position: 7, loads: [{ load_id: 1, position: 3 }] });
  say(sockets[0], { kind: 'batch', load_id: 1, position: 8 });
  assert.deepEqual(events, [[1, 3, false], [1, 8, true]]);
});

test('comes back from the last position and drops what it has', () => {
  makeLive();
  say(sockets[0], { kind: 'snapshot', position: 7, loads: [] });
  sockets[0].onclose({ code: 1006 });
  mock.timers.tick(1_000);
  assert.equal(sockets[1].url, 'ws://hub:1/ws/loads?last=7');
  say(sockets[1], { kind: 'batch', load_id: 1, position: 7 });
  say(sockets[1], { kind: 'batch', load_id: 1, position: 8 });
  assert.deepEqual(events, [[1, 8, true]]);
});

test('a snapshot after an absence is news', () => {
  makeLive();
  say(sockets[0], { kind: 'snapshot', position: 7, loads: [] });
  say(sockets[0], { kind: 'snapshot', position: 9, loads: [{ load_id: 2, position: 9 }] });
  assert.deepEqual(events, [[2, 9, true]]);
});

test('a refused token ends it until there is another', () => {
  let token = 'first';
  makeLive(() => token);
  assert.deepEqual(sockets[0].protocols, ['tripdeck.v1', 'first']);
  say(sockets[0], { kind: 'snapshot', position: 7, loads: [] });
  sockets[0].onclose({ code: 4401 });
  mock.timers.tick(60_000);
  assert.equal(sockets.length, 1);
  assert.equal(statuses.at(-1), 'refused');
  token = 'second';
  window.dispatchEvent(new Event('tripdeck:token'));
  assert.deepEqual([sockets[1].url, sockets[1].protocols[1]], ['ws://hub:1/ws/loads?last=7', 'second']);
  window.dispatchEvent(new Event('tripdeck:token'));
  assert.equal(sockets.length, 2, 'a connection that stands is left alone');
});

test('an expired token gives way to the newest at once', () => {
  let token = 'first';
  makeLive(() => token);
  token = 'second';
  sockets[0].onclose({ code: 4401 });
  assert.equal(sockets[1].protocols[1], 'second');
});

test('a stopped one does not come back', () => {
  const live = makeLive();
  live.stop();
  sockets[0].onclose({ code: 1006 });
  mock.timers.tick(60_000);
  assert.equal(sockets.length, 1);
});

test('Python hears once that a load begins and once that it ends', () => {
  const model = new FeedModel();
  const load = (seq, state) => ({ load_id: 5, seq, state, rows_read: seq });
  const heard = [
    model.take(load(1, 'queued'), true, 0),
    model.take(load(2, 'loading'), true, 1),
    model.take(load(2, 'loading'), true, 2),
    model.take(load(3, 'succeeded'), true, 3),
    model.take(load(4, 'succeeded'), true, 4),
    model.take(load(5, 'undone'), true, 5),
  ];
  assert.deepEqual(heard, ['begun', null, null, 'ended', null, 'ended']);
});

test('what was there before the page is no news', () => {
  const model = new FeedModel();
  assert.equal(model.take({ load_id: 5, seq: 9, state: 'succeeded', rows_read: 1 }, false, 0), null);
  model.addOlder([{ load_id: 5, state: 'failed' }, { load_id: 2, state: 'failed' }]);
  assert.deepEqual(model.list().map(({ load }) => [load.load_id, load.state]), [[5, 'succeeded'], [2, 'failed']]);
  assert.equal(model.oldest, 2);
});
