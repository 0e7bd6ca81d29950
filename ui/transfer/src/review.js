/** What was found in a file, with the columns and options to correct before it is loaded. */
import { element } from '../../browser/dom.js';
import { formatCount } from './wording.js';

const SHOWN_ROWS = 5;
const PAUSE_MS = 350;
/** @type {Record<string, string>} */
const ROLE_LABELS = {
  started_at: 'Start time',
  ended_at: 'End time',
  origin: 'Origin (WKT)',
  origin_longitude: 'Origin longitude',
  origin_latitude: 'Origin latitude',
  destination: 'Destination (WKT)',
  destination_longitude: 'Destination longitude',
  destination_latitude: 'Destination latitude',
  region: 'Region',
  datasource: 'Datasource',
};
const DELIMITERS = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' };

/** @param {import('./job.js').Job} job */
export function makeReview(job) {
  const summary = element('p', { class: 'tt-summary' });
  const problem = element('p', { class: 'tt-problem', role: 'alert', hidden: true });
  const table = element('div', { class: 'tt-scroll', tabindex: '0', role: 'region', 'aria-label': 'First trips' });
  let timer = 0;

  const paint = () => {
    summary.textContent = describePlan(job.inspection);
    table.replaceChildren(makeTable(job.inspection.trips));
  };
  const inspectAgain = async () => {
    try {
      job.inspection = await job.inspect();
      problem.hidden = true;
      paint();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  };
  const change = () => {
    clearTimeout(timer);
    timer = window.setTimeout(inspectAgain, PAUSE_MS);
  };
  paint();
  const fields = element('div', { class: 'tt-fields' }, ...makeOptionFields(job, change), ...makeRoleFields(job, change));
  return { node: element('div', { class: 'tt-review' }, summary, fields, problem, table) };
}

/** @param {any} inspection */
export function describePlan({ plan, rows_read: rows, rows_rejected: rejected }) {
  const { dialect = {} } = plan;
  const parts = [plan.kind === 'csv' ? 'Text table' : String(plan.kind)];
  if (plan.compression && plan.compression !== 'none') parts.push(plan.compression);
  if (dialect.delimiter) parts.push(`divided by ${DELIMITERS[dialect.delimiter] ?? dialect.delimiter}`);
  if (dialect.encoding) parts.push(dialect.encoding.toUpperCase());
  if (plan.columns) parts.push(`${plan.columns.length} columns`);
  parts.push(rejected > 0 ? `${formatCount(rejected)} of the first ${formatCount(rows)} rows would be rejected` : `the first ${formatCount(rows)} rows are good`);
  return parts.join(' · ');
}

function makeOptionFields(job, change) {
  const { roles } = job.inspection.plan;
  const texts = [
    ['region', 'Region of all trips', roles.region == null],
    ['datasource', 'Datasource of all trips', roles.datasource == null],
    ['timezone', 'Time zone of the clock', true],
  ];
  return texts
    .filter(([, , isAsked]) => isAsked)
    .map(([name, label]) =>
      makeField(
        label,
        element('input', {
          type: 'text',
          value: job.options[name] ?? (name === 'timezone' ? 'UTC' : ''),
          placeholder: name === 'timezone' ? 'Europe/Prague' : 'unknown',
          oninput: (event) => {
            setOption(job.options, name, event.target.value.trim());
            change();
          },
        }),
      ),
    );
}

function setOption(options, name, value) {
  if (value) {
    options[name] = value;
  } else {
    delete options[name];
  }
}

function makeRoleFields(job, change) {
  const { roles, columns = [] } = job.inspection.plan;
  return Object.keys(ROLE_LABELS)
    .filter((role) => roles[role] != null)
    .map((role) => {
      const choices = columns.map((column, i) => element('option', { value: String(i), selected: roles[role] === i }, column));
      const onchange = (event) => {
        job.options.roles = { ...job.options.roles, [role]: columns[Number(event.target.value)] };
        change();
      };
      return makeField(ROLE_LABELS[role], element('select', { onchange }, ...choices));
    });
}

function makeField(label, control) {
  return element('label', { class: 'tt-field' }, element('span', {}, label), control);
}

function makeTable(trips) {
  const head = ['Start', 'Origin', 'Destination', 'Region', 'Datasource'];
  const rows = trips.slice(0, SHOWN_ROWS).map((trip) => [
    trip.started_at.replace('T', ' '),
    `${trip.origin_longitude.toFixed(5)}, ${trip.origin_latitude.toFixed(5)}`,
    `${trip.destination_longitude.toFixed(5)}, ${trip.destination_latitude.toFixed(5)}`,
    trip.region,
    trip.datasource,
  ]);
  return element(
    'table',
    { class: 'tt-table' },
    element('thead', {}, element('tr', {}, ...head.map((title) => element('th', { scope: 'col' }, title)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, String(cell)))))),
  );
}
