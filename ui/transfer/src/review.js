/** What was found in a file, with every column and option to correct before it is loaded; or the question that it leaves open. */
import { element } from '../../browser/dom.js';
import {
  CHOSEN_OPTIONS,
  LIMIT_OPTIONS,
  NO_COLUMN,
  ROLE_LABELS,
  TEXT_OPTIONS,
  describeCounts,
  describeLastTime,
  describePlan,
  describeQuestion,
  describeTimes,
  mergeRoles,
  nameColumn,
  showLimit,
  sortRoles,
  withAnswer,
  withLimit,
  withOption,
} from './reading.js';
import { escapeControls } from './wording.js';

const SHOWN_ROWS = 5;
const PAUSE_MS = 350;
const SURE = 0.9;
const ABOUT_TRIPS = new Set(['region', 'datasource', 'timezone']); // what the file itself may say of every trip
const TYPED_OPTIONS = new Set(['date_order', 'time_form', 'axis_order', 'polyline_precision']); // the others are about text

/** The review of one job; repaints itself after every answer of the hub. */
export class Review {
  /** @param {import('./job.js').Job} job */
  constructor(job) {
    this.job = job;
    this.timer = 0;
    this.head = element('div', { class: 'tt-said', 'aria-live': 'polite' });
    this.fields = element('div', { class: 'tt-fields' });
    this.others = element('div', { class: 'tt-fields' });
    this.more = element('details', { class: 'tt-more' }, element('summary', {}, 'More columns and options'), this.others);
    this.table = element('div', { class: 'tt-scroll', tabindex: '0', role: 'region', 'aria-label': 'First rows' });
    this.node = element('div', { class: 'tt-review' }, this.head, this.fields, this.more, this.table);
    this.paint();
  }

  paint() {
    const { inspection, question } = this.job;
    const isAboutColumns = question && !question.choices;
    const columns = (question ? isAboutColumns && question.columns : inspection.plan.columns) || [];
    this.more.open ||= isAboutColumns;
    const roles = question ? mergeRoles(question.roles, this.job.options.roles, columns) : inspection.plan.roles;
    this.head.replaceChildren(...(question ? this.makeQuestion(question) : this.makeSummary(inspection)));
    this.table.replaceChildren(...(question ? [] : makeTables(inspection)));
    this.paintFields(roles, columns, inspection);
  }

  /** Fields keep the focus; a text that is being typed is left alone. */
  paintFields(roles, columns, inspection) {
    const active = /** @type {HTMLElement|null} */ (/** @type {any} */ (this.node.getRootNode()).activeElement);
    const name = this.node.contains(active) ? active?.dataset.name : undefined;
    if (name && active?.tagName === 'INPUT') {
      return;
    }
    const { first, others } = sortRoles(roles);
    const sure = new Map((inspection?.roles ?? []).map((role) => [role.role, role.confidence]));
    const makeRole = (role) => this.makeRoleField(role, { columns, index: roles[role], sure: sure.get(role) });
    this.fields.replaceChildren(...this.makeTextFields(roles, inspection), ...(columns.length ? first.map(makeRole) : []));
    const isTyped = inspection?.plan.kind === 'parquet';
    const choices = CHOSEN_OPTIONS.filter(([name]) => !isTyped || TYPED_OPTIONS.has(name)).map((option) => this.makeChosenField(option, inspection));
    const texts = TEXT_OPTIONS.filter(([name]) => !ABOUT_TRIPS.has(name)).map((option) => this.makeTextField(option));
    this.others.replaceChildren(...(columns.length ? others.map(makeRole) : []), ...choices, ...texts, ...LIMIT_OPTIONS.map((limit) => this.makeLimitField(limit)));
    this.node.querySelector(`[data-name="${name}"]`)?.focus();
  }

  makeSummary(inspection) {
    const reading = inspection.as_last_time;
    const lines = [
      describePlan(inspection),
      describeTimes(inspection),
      describeCounts('Would be rejected', inspection.reasons),
      describeCounts('Odd, but would be loaded', inspection.warnings),
      ...inspection.notes,
    ];
    const said = describeLastTime(reading);
    return [
      ...lines.filter(Boolean).map((line) => element('p', { class: 'tt-summary' }, escapeControls(line))),
      said && element('p', { class: 'tt-summary' }, said, ' ', this.makeLink('Read it anew', () => this.set('as_last_time', false)), this.makeLink('Forget', () => this.forget(reading))),
      this.problem && element('p', { class: 'tt-problem', role: 'alert' }, this.problem),
    ].filter(Boolean);
  }

  makeQuestion(question) {
    const answer = (choice) => () => this.answer(withAnswer(this.job.options, choice.options));
    const buttons = (question.choices ?? []).map((choice) => element('button', { type: 'button', class: 'tt-button', onclick: answer(choice) }, escapeControls(choice.label)));
    return [element('p', { class: 'tt-problem', role: 'alert' }, escapeControls(describeQuestion(question))), buttons.length > 0 && element('div', { class: 'tt-choices' }, ...buttons)].filter(Boolean);
  }

  makeTextFields(roles, inspection) {
    const suggested = inspection?.suggested_region;
    const offers = { region: suggested, timezone: inspection?.suggested_timezone };
    /** @type {Record<string, {isAsked: boolean, placeholder: string}>} */
    const known = {
      region: { isAsked: roles.region == null, placeholder: suggested ? `unknown (${suggested}?)` : 'unknown' },
      datasource: { isAsked: roles.datasource == null, placeholder: 'unknown' },
      timezone: { isAsked: inspection?.clock !== 'as_written', placeholder: 'UTC' },
    };
    const asked = TEXT_OPTIONS.filter(([name]) => known[name]?.isAsked);
    return asked.map(([name, label]) => this.makeTextField([name, label], known[name].placeholder, offers[name]));
  }

  makeTextField([name, label], placeholder = 'as found', offer = null) {
    const value = this.job.options[name] ?? '';
    const input = element('input', { type: 'text', 'data-name': name, value, placeholder, oninput: (event) => this.set(name, event.target.value.trim()) });
    return makeField(label, input, offer && !value && this.makeLink(`Use ${offer}`, () => this.set(name, offer, 0)));
  }

  makeRoleField(role, { columns, index, sure }) {
    const onchange = (event) => {
      const value = event.target.value;
      const column = value === NO_COLUMN ? NO_COLUMN : nameColumn(columns, Number(value));
      this.change({ ...this.job.options, roles: { ...this.job.options.roles, [role]: column } });
    };
    const none = element('option', { value: NO_COLUMN, selected: index == null }, 'none');
    const choices = columns.map((column, i) => element('option', { value: String(i), selected: index === i }, escapeControls(column)));
    const label = sure != null && sure < SURE ? `${ROLE_LABELS[role]} (${Math.round(100 * sure)} % sure)` : ROLE_LABELS[role];
    return makeField(label, element('select', { 'data-name': role, onchange }, none, ...choices));
  }

  makeChosenField([name, label, choices], inspection) {
    const given = this.job.options[name];
    const found = inspection?.plan.dialect?.[name] ?? inspection?.plan[name] ?? inspection?.plan.time?.[name];
    const shown = choices.find(([value]) => value === String(found))?.[1];
    const options = choices.map(([value, text]) => element('option', { value, selected: String(given) === value }, text));
    const auto = element('option', { value: '', selected: given == null }, shown ? `as found: ${shown}` : 'as found');
    return makeField(label, element('select', { 'data-name': name, onchange: (event) => this.set(name, event.target.value) }, auto, ...options));
  }

  /** How the file is read doesn't depend on it, so nothing is asked again. */
  makeLimitField([name, label, unit, most]) {
    const oninput = ({ target }) => {
      const options = target.validity.badInput ? null : withLimit(this.job.options, name, target.value.trim());
      target.setCustomValidity(options ? '' : most === null ? 'A whole number from 0' : `A number from 0 to ${most}`);
      target.reportValidity();
      this.job.options = options ?? this.job.options;
    };
    const onchange = ({ target }) => {
      target.value = showLimit(this.job.options, name, unit); // what counts, where something else was typed
      target.setCustomValidity('');
    };
    const value = showLimit(this.job.options, name, unit);
    const facts = { type: 'number', min: '0', max: most, step: 'any', value, placeholder: 'as set up' };
    return makeField(label, element('input', { ...facts, 'data-name': name, oninput, onchange }));
  }

  makeLink(label, onclick) {
    return element('button', { type: 'button', class: 'tt-link', onclick }, label);
  }

  set(name, value, pauseMs = PAUSE_MS) {
    this.change(withOption(this.job.options, name, value), pauseMs);
  }

  change(options, pauseMs = PAUSE_MS) {
    this.job.options = options;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.inspectAgain(), pauseMs);
  }

  /** An answer to a load that failed is all that it needs; a file that was not sent yet is looked at again. */
  answer(options) {
    this.change(options, 0);
    if (this.job.loadId) {
      clearTimeout(this.timer);
      this.job.send();
    }
  }

  async forget(reading) {
    await this.tell(() => this.job.api.forgetReading(reading.header_hash));
    await this.inspectAgain();
  }

  async inspectAgain() {
    await this.tell(() => this.job.look());
    this.job.onChange();
    this.paint();
  }

  async tell(call) {
    this.problem = null;
    try {
      await call();
    } catch (error) {
      this.problem = error.message;
    }
  }
}

function makeField(label, control, offer = null) {
  control.setAttribute('aria-label', label); // a select's own choices would count as its label's text
  return element('div', { class: 'tt-field' }, element('label', {}, element('span', {}, label), control), offer);
}

function makeTables({ trips, rejects }) {
  const tables = [];
  if (trips.length) {
    const head = ['Start', 'Origin', 'Destination', 'Region', 'Datasource'];
    const rows = trips.slice(0, SHOWN_ROWS).map((trip) => [
      trip.started_at.replace('T', ' '),
      `${trip.origin_longitude.toFixed(5)}, ${trip.origin_latitude.toFixed(5)}`,
      `${trip.destination_longitude.toFixed(5)}, ${trip.destination_latitude.toFixed(5)}`,
      trip.region,
      trip.datasource,
    ]);
    tables.push(makeTable('First trips as they would be stored', head, rows));
  }
  if (rejects.length) {
    const rows = rejects.slice(0, SHOWN_ROWS).map((reject) => [reject.line, reject.reason.replaceAll('_', ' '), reject.column ?? '', reject.value ?? reject.raw.slice(0, 120)]);
    tables.push(makeTable('First rows that would be rejected', ['Line', 'Reason', 'Column', 'Value'], rows));
  }
  return tables;
}

function makeTable(caption, head, rows) {
  return element(
    'table',
    { class: 'tt-table' },
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...head.map((title) => element('th', { scope: 'col' }, title)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, escapeControls(String(cell))))))),
  );
}
