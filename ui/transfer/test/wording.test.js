import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeLoad, escapeControls, formatBytes, formatDuration, loadShare } from '../src/wording.js';
import { describeLastTime, describePlan, describeQuestion, describeTimes, mergeRoles, nameColumn, showLimit, sortRoles, withAnswer, withLimit, withOption } from '../src/reading.js';
import { viewJob } from '../src/rowview.js';
import { RateMeter } from '../src/parts.js';

const LOAD = { load_id: 3, state: 'loading', rows_read: 2_300_000, rows_loaded: 2_299_988, rows_rejected: 12, bytes_read: 300, bytes_total: 600 };
const STILL = { rate: 0, secondsLeft: null };

test('sizes and times read as people write them', () => {
  assert.deepEqual([0, 999, 13_642, 648_000_000, 2_000_000_000].map(formatBytes), ['0 B', '999 B', '13.6 kB', '648 MB', '2.00 GB']);
  assert.deepEqual([8, 200, 7_500].map(formatDuration), ['8 s', '3 min 20 s', '2 h 5 min']);
});

test('what does not show is written as an escape', () => {
  const names = { 'a\u001b[1m': 'a\\u{1b}[1m', 'gpj\u202eexe': 'gpj\\u{202e}exe', '\ud800': '\\u{d800}', 'a\r\n': 'a\\u{d}\\u{a}', '\u{e0041}': '\\u{e0041}' };
  assert.deepEqual(Object.keys(names).map(escapeControls), Object.values(names));
  for (const name of ['Žižkov 東京', '\u0645\u06cc\u200c\u062e', '👩\u200d🚀']) {
    assert.equal(escapeControls(name), name);
  }
});

test('a running load says rows, speed, time left and rejects', () => {
  assert.equal(describeLoad(LOAD, { rate: 310_000, secondsLeft: 8 }), '2\u202f300\u202f000 rows · 310\u202f000 rows/s · 8 s left · 12 rejected');
  assert.equal(loadShare(LOAD), 0.5);
});

test('an ended load says what was loaded and how long it took', () => {
  const load = { ...LOAD, state: 'succeeded', rows_loaded: 1, started_at: '2026-11-22T10:00:00Z', finished_at: '2026-11-22T10:00:02.500Z' };
  assert.equal(describeLoad(load, STILL), '1 trip loaded · 2.5 s · 12 rejected');
  assert.match(describeLoad({ ...load, duplicate_of: 2 }, STILL), /as load 2/);
});

test('a failed load says why', () => {
  assert.equal(describeLoad({ ...LOAD, state: 'failed', error_message: 'No column holds an origin.' }, STILL), 'No column holds an origin.');
});

test('the share of a load is unknown while it is queued', () => {
  assert.equal(loadShare({ ...LOAD, state: 'queued' }), null);
});

test('a plan is described in one line', () => {
  const plan = { kind: 'csv', compression: 'gzip', dialect: { delimiter: ';', encoding: 'utf-8' }, columns: ['a', 'b'], roles: {} };
  assert.equal(describePlan({ plan, rows_read: 100, rows_rejected: 3 }), 'Text table · gzip · divided by semicolon · UTF-8 · 2 columns · 3 of the first 100 rows would be rejected');
});

test('a question is asked in the words of the page', () => {
  const message = 'Found no column for start time. Name them, such as --map started_at=COLUMN.';
  const ask = (facts) => describeQuestion({ message, statement: 'Found no column for start time.', parameter: 'roles', code: 'missing_roles', ...facts });
  assert.equal(ask({}), 'Found no column for start time. Choose the columns below if they are there.');
  assert.equal(ask({ choices: [{ label: 'a', options: {} }] }), 'Found no column for start time. Choose one:');
  assert.equal(ask({ statement: 'Times end with EDT.', parameter: 'timezone' }), 'Times end with EDT. Say it below under “Time zone of the trips”.');
  assert.equal(ask({ statement: null, message: 'Say which: radians or degrees (--coordinate-unit).' }), 'Say which: radians or degrees.');
});

test('a question shows the columns that are known, and those that were chosen over them', () => {
  assert.deepEqual(mergeRoles({ origin: 1, destination: 2 }, { destination: '-', started_at: 'when', route: '3' }, ['when', 'a', 'b']), { origin: 1, started_at: 0, route: 2 });
  assert.deepEqual(mergeRoles(null), {});
});

test('a table inside a file is named', () => {
  const describe = (table) => describePlan({ plan: { kind: 'csv', dialect: { delimiter: ',' }, table, columns: ['a', 'b'] }, rows_read: 0, rows_rejected: 0 });
  assert.equal(describe({ format: 'workbook', name: 'March' }), 'Workbook, sheet March · 2 columns');
  assert.equal(describe({ format: 'json', name: 'data.trips' }), 'JSON, records under data.trips · 2 columns');
  assert.equal(describe({ format: 'json', name: '' }), 'JSON · 2 columns');
});

test('a row of an upload shows bytes, and its problem instead while it has one', () => {
  const job = { state: 'uploading', sent: 300, bytes: 600, problem: null, reused: 2, sentMeter: new RateMeter() };
  assert.deepEqual(viewJob(job).detail, '300 B of 600 B · continued where it broke off');
  assert.equal(viewJob(job).share, 0.5);
  assert.equal(viewJob({ ...job, problem: 'The object store does not answer.' }).detail, 'The object store does not answer.');
});

test('only a file with rejects offers to see them', () => {
  const ended = (rejected) => viewJob({ state: 'ended', load: { ...LOAD, state: 'succeeded', rows_rejected: rejected } }).actions;
  assert.deepEqual(ended(0), ['show', 'remove']);
  assert.deepEqual(ended(2), ['show', 'rejects', 'remove']);
});

test('a file with a question can be answered or removed, not loaded', () => {
  assert.deepEqual(viewJob({ state: 'review', question: { message: 'Which?' } }).actions, ['remove']);
  assert.deepEqual(viewJob({ state: 'review', question: null }).actions, ['load', 'remove']);
});

test('an inspection says how times are read and what counts as last time', () => {
  const plan = { time: { kind: 'text', date_order: 'dmy', example: '16/11/2010 16:44' } };
  assert.equal(describeTimes({ plan, roles: [{}], clock: 'as_written', timezone: null }), 'Times such as 16/11/2010 16:44: day first, kept as written');
  const reading = { load_id: 7, options: { roles: { region: 'Half' }, date_order: 'dmy', has_header: false } };
  assert.equal(describeLastTime(reading), 'As last time, in load 7. Region: Half, Order of dates: day first, First row: is a trip');
  assert.equal(describeLastTime(null), '');
});

test('options are set, taken away and answered', () => {
  assert.deepEqual(withOption({ region: 'Brno' }, 'has_header', 'false'), { region: 'Brno', has_header: false });
  assert.deepEqual(withOption({ region: 'Brno', date_order: 'dmy' }, 'date_order', ''), { region: 'Brno' });
  assert.deepEqual(withOption({}, 'as_last_time', false), { as_last_time: false });
  assert.deepEqual(withAnswer({ roles: { region: 'a' } }, { roles: { origin: '2' } }), { roles: { region: 'a', origin: '2' } });
});

test('limits are typed as a number of rows and as a percentage', () => {
  const options = withLimit(withLimit({ region: 'Brno' }, 'max_rejects', '20'), 'max_reject_share', '0.7');
  assert.deepEqual(options, { region: 'Brno', max_rejects: 20, max_reject_share: 0.007 });
  assert.deepEqual([showLimit(options, 'max_rejects', 1), showLimit(options, 'max_reject_share', 0.01), showLimit({}, 'max_rejects', 1)], ['20', '0.7', '']);
  assert.deepEqual(withLimit(options, 'max_rejects', ''), { region: 'Brno', max_reject_share: 0.007 });
  assert.deepEqual([['max_rejects', '-1'], ['max_rejects', '1.5'], ['max_reject_share', '101'], ['max_rejects', 'many']].map(([name, text]) => withLimit({}, name, text)), [null, null, null, null]);
});

test('columns of one name are told apart by number', () => {
  assert.equal(nameColumn(['Lat', 'lon', ' lat '], 2), '3');
  assert.equal(nameColumn(['Lat', 'lon'], 1), 'lon');
  assert.deepEqual(sortRoles({ origin: 0, destination: 1, started_at: 2 }).first, ['started_at', 'ended_at', 'origin', 'destination', 'region', 'datasource']);
});
