/** What an inspection says, in words and as choices; free of the DOM. */
import { formatCount } from './wording.js';

export const NO_COLUMN = '-';
const DELIMITERS = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' };
const ORDERS = { ymd: 'year first', yymd: 'year first (two digits)', mdy: 'month first', dmy: 'day first' };

/** @type {Record<string, string>} */
export const ROLE_LABELS = {
  started_at: 'Start time',
  started_time: 'Start, clock time apart',
  ended_at: 'End time',
  ended_time: 'End, clock time apart',
  origin: 'Origin as a point',
  origin_longitude: 'Origin longitude',
  origin_latitude: 'Origin latitude',
  destination: 'Destination as a point',
  destination_longitude: 'Destination longitude',
  destination_latitude: 'Destination latitude',
  route: 'Route as a line',
  region: 'Region',
  datasource: 'Datasource',
  trip_id: 'Trip id (not stored)',
  origin_place: 'Origin (id or name of a place)',
  destination_place: 'Destination (id or name of a place)',
};
const OPTIONAL_ROLES = new Set(['ended_at', 'region', 'datasource']);

/** Options typed as text: name, label. @type {[string, string][]} */
export const TEXT_OPTIONS = [
  ['region', 'Region of all trips'],
  ['datasource', 'Datasource of all trips'],
  ['timezone', 'Time zone of the trips'],
  ['crs', 'Reference system of coordinates'],
  ['places', 'Place set of the ends'],
  ['sheet', 'Sheet of a workbook, or keys of a JSON array'],
  ['member', 'File of an archive'],
];

/** @type {[string, string][]} */
const TIME_FORMS = [
  ['text', 'a written time'],
  ['digits', 'digits: 20240319081200'],
  ['digits_yy', 'digits: 2403190812'],
  ['digits_dmy', 'digits, day first: 190320240812'],
  ['digits_mdy', 'digits, month first: 031920240812'],
  ['digits_dmyy', 'digits, day first: 1903240812'],
  ['digits_mdyy', 'digits, month first: 0319240812'],
  ['epoch_s', 'seconds since 1970'],
  ['epoch_ms', 'milliseconds since 1970'],
  ['epoch_us', 'microseconds since 1970'],
  ['epoch_ns', 'nanoseconds since 1970'],
  ['epoch_min', 'minutes since 1970'],
  ['epoch_2001_s', 'seconds since 2001 (Apple)'],
  ['epoch_2001_ms', 'milliseconds since 2001'],
  ['epoch_2001_us', 'microseconds since 2001'],
  ['epoch_2001_ns', 'nanoseconds since 2001'],
  ['epoch_1960_s', 'seconds since 1960 (SAS)'],
  ['epoch_1960_ms', 'milliseconds since 1960 (Stata)'],
  ['gps_s', 'GPS seconds'],
  ['gps_ms', 'GPS milliseconds'],
  ['ticks', '.NET ticks'],
  ['filetime', 'Windows file times'],
  ['webkit', 'microseconds since 1601 (Chrome)'],
  ['excel_1900', 'days of a spreadsheet (1900)'],
  ['excel_1904', 'days of a spreadsheet (1904)'],
  ['julian', 'Julian days'],
];

// Encodings of public data besides Unicode; any other can be said by REST and on the command line.
const ENCODINGS = ['windows-1250', 'windows-1251', 'windows-1252', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256', 'gb18030', 'big5', 'cp932', 'euc_jp', 'cp949', 'cp874', 'koi8-r', 'iso8859-2', 'mac-roman', 'cp850', 'cp852'];

/** Options chosen from a list: name, label, choices as [value, label]. */
export const CHOSEN_OPTIONS = [
  ['date_order', 'Order of dates', Object.entries(ORDERS).filter(([order]) => order !== 'yymd')],
  ['time_form', 'Numbers as times', TIME_FORMS],
  ['coordinate_unit', 'Unit of coordinates', [['degrees', 'degrees'], ['e7', 'degrees × 10,000,000'], ['e6', 'microdegrees'], ['e5', 'degrees × 100,000'], ['radians', 'radians']]],
  ['axis_order', 'Order in points', [['lon_lat', 'longitude first'], ['lat_lon', 'latitude first']]],
  ['polyline_precision', 'Digits in encoded lines', [['5', 'five (Google)'], ['6', 'six (OSRM, Valhalla)']]],
  ['delimiter', 'Divided by', Object.entries(DELIMITERS)],
  ['decimal', 'Decimal sign', [['.', 'point'], [',', 'comma']]],
  ['encoding', 'Encoding', [['utf-8', 'UTF-8'], ['utf-16-le', 'UTF-16 LE'], ['utf-16-be', 'UTF-16 BE'], ...ENCODINGS.map((name) => [name, name])]],
  ['has_header', 'First row', [['true', 'names the columns'], ['false', 'is a trip']]],
];

/** Limits typed as numbers: name, label, what a unit of the number counts for, the largest number. @type {[string, string, number, number|null][]} */
export const LIMIT_OPTIONS = [
  ['max_rejects', 'Rejected rows at most', 1, null],
  ['max_reject_share', 'Rejected rows at most, %', 0.01, 100],
];

/** What a question asks, in the page's own words. @param {any} question */
export function describeQuestion({ statement, message, choices, parameter, code }) {
  if (!statement) {
    return message.replace(/ \(--[^()]*\)/g, ''); // flags of the command line
  }
  if (choices?.length) {
    return `${statement} Choose one:`;
  }
  if (parameter === 'roles') {
    return code === 'missing_roles' ? `${statement} Choose the columns below if they are there.` : `${statement} Or choose the columns below.`;
  }
  const label = [...TEXT_OPTIONS, ...CHOSEN_OPTIONS].find(([name]) => name === parameter)?.[1];
  return label ? `${statement} Say it below under “${label}”.` : statement;
}

/** Columns of roles: those that were found, and over them those that were chosen. @param {Record<string, number>|null} found @param {Record<string, string>} [chosen] @param {string[]} [columns] */
export function mergeRoles(found, chosen = {}, columns = []) {
  const merged = { ...found };
  for (const [role, column] of Object.entries(chosen)) {
    const index = columns.includes(column) ? columns.indexOf(column) : Number(column) - 1;
    delete merged[role];
    if (index >= 0) {
      merged[role] = index;
    }
  }
  return merged;
}

/** One line on the file's form. @param {any} inspection */
export function describePlan({ plan, rows_read: rows, rows_rejected: rejected }) {
  const { dialect = {} } = plan;
  const parts = [describeKind(plan)];
  if (plan.compression && plan.compression !== 'none') parts.push(plan.compression);
  if (plan.kind === 'csv' && !plan.table) {
    if (dialect.delimiter) parts.push(`divided by ${DELIMITERS[dialect.delimiter] ?? dialect.delimiter}`);
    if (dialect.encoding) parts.push(dialect.encoding.toUpperCase());
    if (dialect.decimal === ',') parts.push('decimal comma');
    if (dialect.has_header === false) parts.push('no header');
  }
  if (plan.columns?.length) parts.push(`${plan.columns.length} columns`);
  if (rows > 0) {
    parts.push(rejected > 0 ? `${formatCount(rejected)} of the first ${formatCount(rows)} rows would be rejected` : `the first ${formatCount(rows)} rows are good`);
  }
  return parts.join(' · ');
}

/** What kind of file it is, and which of its tables is read. @param {any} plan */
function describeKind({ kind, table }) {
  if (table?.format === 'workbook') return table.name ? `Workbook, sheet ${table.name}` : 'Workbook';
  if (table) return table.name ? `JSON, records under ${table.name}` : 'JSON';
  return kind === 'csv' ? 'Text table' : 'Parquet';
}

/** One line on how times are read. @param {any} inspection */
export function describeTimes({ plan, roles, clock, timezone }) {
  if (!roles.length) {
    return '';
  }
  const { kind, date_order: order, example } = plan.time;
  const form = kind === 'text' ? (ORDERS[order] ?? 'order of day, month and year open') : nameChoice(TIME_FORMS, kind);
  return `Times such as ${example}: ${form}, ${clock === 'converted' ? `converted to ${timezone}` : 'kept as written'}`;
}

/** One line on what counts because it was said before; empty when nothing does. @param {any} reading */
export function describeLastTime(reading) {
  if (!reading) {
    return '';
  }
  const { roles = {}, ...options } = reading.options;
  const said = [
    ...Object.entries(roles).map(([role, column]) => `${ROLE_LABELS[role] ?? role}: ${column}`),
    ...CHOSEN_OPTIONS.filter(([name]) => name in options).map(([name, label, choices]) => `${label}: ${nameChoice(choices, options[name])}`),
  ];
  return `As last time, in load ${reading.load_id}. ${said.join(', ')}`;
}

/** The same counts in one line. @param {string} title @param {Record<string, number>} counts */
export function describeCounts(title, counts) {
  const parts = Object.entries(counts).map(([code, count]) => `${code.replaceAll('_', ' ')} ${formatCount(count)}`);
  return parts.length ? `${title}: ${parts.join(', ')}` : '';
}

/** Roles to show first, and those that are there for other kinds of files. @param {Record<string, number>} roles */
export function sortRoles(roles) {
  const names = Object.keys(ROLE_LABELS);
  const isFirst = (role) => roles[role] != null || OPTIONAL_ROLES.has(role);
  return { first: names.filter(isFirst), others: names.filter((role) => !isFirst(role)) };
}

/** How to name a column to the hub: by its name, or by its number where others have the same. @param {string[]} columns @param {number} index */
export function nameColumn(columns, index) {
  const folded = columns.map((column) => column.trim().toLowerCase());
  return folded.indexOf(folded[index]) === folded.lastIndexOf(folded[index]) ? columns[index] : String(index + 1);
}

/** The options with one more; an empty value takes it away. @param {any} options @param {string} name @param {string|boolean} value */
export function withOption(options, name, value) {
  const others = { ...options };
  delete others[name];
  if (value === '' || value == null) {
    return others;
  }
  return { ...others, [name]: name === 'has_header' ? value === 'true' : value };
}

/** The options with a limit; null when the text is no such number. @param {any} options @param {string} name @param {string} text */
export function withLimit(options, name, text) {
  const [, , unit, most] = LIMIT_OPTIONS.find(([known]) => known === name) ?? ['', '', 1, null];
  const typed = Number(text);
  if (text === '') {
    return withOption(options, name, '');
  }
  const isGood = typed >= 0 && (most === null ? Number.isSafeInteger(typed) : typed <= most);
  return isGood ? { ...options, [name]: most === null ? typed : Number((typed * unit).toPrecision(12)) } : null;
}

/** A limit as it is typed. @param {any} options @param {string} name @param {number} unit */
export function showLimit(options, name, unit) {
  return options[name] == null ? '' : String(Number((options[name] / unit).toPrecision(12)));
}

/** The options with those of an answer to the file's question. @param {any} options @param {any} answer */
export function withAnswer(options, answer) {
  return { ...options, ...answer, roles: { ...options.roles, ...answer.roles } };
}

function nameChoice(choices, value) {
  return choices.find(([known]) => known === String(value))?.[1] ?? String(value);
}
