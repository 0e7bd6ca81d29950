/** Streamlit's way in: the history of loads, live from the hub's feed. Python hears of loads that begin, end or are chosen. */
import { element, oncePerFrame } from '../../browser/dom.js';
import { newestToken } from '../../browser/hub_token.js';
import { HubApi } from './api.js';
import { FeedModel } from './feedmodel.js';
import { Live } from './live.js';
import css from './style.css';
import { STATE_LABELS, TERMINAL_STATES, describeLoad, formatBytes, formatCount, loadShare, escapeControls } from './wording.js';

const PAGE = 50;
const HEADS = ['Load', 'File', 'State', 'Progress', 'Loaded', 'Rejected', 'Size', 'Requested'];
const TONES = { succeeded: 'good', failed: 'bad', cancelled: 'idle', undone: 'idle' };
/** @type {Record<string, string>} */
const STATUS_TEXTS = {
  connecting: 'Connecting to the hub …',
  live: '',
  reconnecting: 'The hub does not answer; trying again. What is shown may be old.',
  refused: 'The hub refuses this page; reload it to sign in again.',
  missing: 'There is no such feed.',
};
const instances = new WeakMap();
const clock = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

class LoadFeed {
  constructor(parent, data) {
    this.parent = parent;
    this.model = new FeedModel();
    /** @type {Map<number, any>} */
    this.rows = new Map();
    this.token = data.token;
    this.status = element('p', { class: 'tt-detail', role: 'status' });
    this.body = element('tbody');
    this.empty = element('p', { class: 'tt-detail', hidden: true }, 'No loads yet. Files that you load appear here at once.');
    this.more = element('button', { type: 'button', class: 'tt-button', hidden: true, onclick: () => this.showOlder() }, 'Show older loads');
    const head = element('thead', {}, element('tr', {}, ...HEADS.map((title, i) => element('th', { scope: 'col', class: i >= 4 && i <= 6 ? 'tt-number' : '' }, title))));
    this.table = element('div', { class: 'tt-scroll', tabindex: '0', role: 'region', 'aria-label': 'Loads' }, element('table', { class: 'tt-table tt-feed' }, head, this.body));
    this.root = element('div', { class: 'tt-root' }, this.status, this.table, this.empty, this.more);
    parent.append(element('style', {}, css), this.root);
    this.schedule = oncePerFrame(() => this.paint());
    this.api = new HubApi(data.hub_url, () => newestToken(this.token));
    this.live = new Live({
      url: data.hub_url,
      path: '/ws/loads',
      getToken: () => newestToken(this.token),
      onEvent: (event, isNews) => this.take(event, isNews),
      onStatus: (status) => this.takeStatus(status),
    });
    this.live.start();
  }

  update(component) {
    this.component = component;
    this.token = component.data.token;
    this.selected = component.data.selected;
    this.schedule();
  }

  take(event, isNews) {
    const news = this.model.take(event, isNews, performance.now());
    if (news) {
      this.component?.setTriggerValue(news, { load_id: event.load_id, state: event.state });
    }
    this.schedule();
  }

  takeStatus(status) {
    this.status.textContent = STATUS_TEXTS[status];
    this.status.hidden = status === 'live';
    this.root.dataset.live = status;
    this.schedule();
  }

  async showOlder() {
    try {
      const loads = await this.api.listLoads(this.model.oldest, PAGE);
      this.model.addOlder(loads);
      this.isComplete = loads.length < PAGE;
    } catch (error) {
      this.status.hidden = false;
      this.status.textContent = error.message;
    }
    this.schedule();
  }

  paint() {
    const entries = this.model.list();
    this.body.replaceChildren(...entries.map((entry) => this.rowOf(entry)));
    this.table.hidden = entries.length === 0;
    this.empty.hidden = entries.length > 0 || this.root.dataset.live !== 'live';
    this.more.hidden = this.isComplete || this.model.oldest <= 1;
  }

  /** The same row element for a load each time, so that focus stays where it is. */
  rowOf({ load, meter }) {
    let row = this.rows.get(load.load_id);
    if (!row) {
      row = new FeedRow(load.load_id, () => this.component.setTriggerValue('chosen', { load_id: load.load_id }));
      this.rows.set(load.load_id, row);
    }
    row.paint(load, meter, this.selected === load.load_id);
    return row.node;
  }

  destroy() {
    this.live.stop();
    this.parent.replaceChildren();
  }
}

class FeedRow {
  constructor(loadId, onChoose) {
    this.cells = HEADS.map((_, i) => element('td', { class: i >= 4 && i <= 6 ? 'tt-number' : '' }));
    this.button = element('button', { type: 'button', class: 'tt-link', 'aria-label': `Show load ${loadId}`, onclick: onChoose }, String(loadId));
    this.cells[0].append(this.button);
    this.chip = element('span', { class: 'tt-chip' });
    this.cells[2].append(this.chip);
    this.fill = element('span', { class: 'tt-fill' });
    this.bar = element('div', { class: 'tt-bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-label': `Load ${loadId}` }, this.fill);
    this.note = element('div', { class: 'tt-note' });
    this.cells[3].append(this.bar, this.note);
    this.node = element('tr', {}, ...this.cells);
  }

  paint(load, meter, isSelected) {
    const isOver = TERMINAL_STATES.has(load.state);
    const share = loadShare(load);
    this.node.dataset.load = load.load_id;
    this.node.dataset.state = load.state;
    this.node.dataset.tone = TONES[load.state] ?? 'busy';
    this.node.setAttribute('aria-current', String(isSelected));
    this.chip.textContent = STATE_LABELS[load.state];
    this.bar.hidden = isOver;
    this.bar.classList.toggle('tt-bar-unknown', share === null && !isOver);
    this.bar.setAttribute('aria-valuenow', String(Math.floor((share ?? 0) * 100)));
    this.fill.style.transform = `scaleX(${share ?? 0})`;
    this.note.textContent = this.describe(load, meter, isOver);
    this.note.title = this.note.textContent; // it may be cut off
    this.cells[1].title = escapeControls(load.file_name);
    const texts = { 1: escapeControls(load.file_name), 4: formatCount(load.rows_loaded), 5: formatCount(load.rows_rejected), 6: formatBytes(load.bytes_total), 7: clock.format(new Date(load.requested_at)) };
    Object.entries(texts).forEach(([i, text]) => (this.cells[Number(i)].textContent = text));
  }

  describe(load, meter, isOver) {
    const secondsLeft = load.bytes_read > 0 && meter.rate > 0 ? (load.bytes_total - load.bytes_read) / (load.bytes_read / Math.max(1, load.rows_read)) / meter.rate : null;
    return describeLoad(load, { rate: isOver ? 0 : meter.rate, secondsLeft });
  }
}

/** @param {any} component */
export default function loadfeed(component) {
  const { parentElement, data } = component;
  let feed = instances.get(parentElement);
  if (!feed) {
    feed = new LoadFeed(parentElement, data);
    instances.set(parentElement, feed);
  }
  feed.update(component);
  return () => {
    instances.get(parentElement)?.destroy();
    instances.delete(parentElement);
  };
}
