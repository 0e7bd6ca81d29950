/** Streamlit's way in: a drop zone and a row for every file of this tab. */
import { element, icon, oncePerFrame } from '../../browser/dom.js';
import { getManager } from './manager.js';
import { Row } from './row.js';
import css from './style.css';
import { formatBytes } from './wording.js';

const instances = new WeakMap();

class TransferList {
  constructor(parent, manager) {
    this.manager = manager;
    this.parent = parent;
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.input = element('input', { type: 'file', multiple: true, class: 'tt-silent', tabindex: '-1', 'aria-label': 'Trip files', onchange: () => this.addFiles(this.input.files) });
    this.zone = element(
      'button',
      { type: 'button', class: 'tt-zone', onclick: () => this.input.click() },
      icon('upload', 22),
      element('span', {}, element('b', {}, 'Drop trip files here'), ' or choose them'),
      element('span', { class: 'tt-hint' }, 'CSV, Parquet or JSON, also compressed, of any size, or an Excel or OpenDocument workbook: each needs an origin, a destination and a start time'),
    );
    this.list = element('ul', { class: 'tt-list' });
    this.announcer = element('div', { class: 'tt-silent', role: 'status', 'aria-live': 'polite' });
    this.root = element('div', { class: 'tt-root' }, this.zone, this.input, this.list, this.announcer);
    parent.append(element('style', {}, css), this.root);
    this.listenForDrops();
    this.schedule = oncePerFrame(() => this.paint());
    manager.listeners.add(this.schedule);
  }

  listenForDrops() {
    const mark = (isOver) => (event) => {
      event.preventDefault();
      this.zone.classList.toggle('tt-over', isOver);
    };
    this.root.addEventListener('dragover', mark(true));
    this.root.addEventListener('dragleave', mark(false));
    this.root.addEventListener('drop', (event) => {
      mark(false)(event);
      this.addFiles(event.dataTransfer.files);
    });
  }

  addFiles(files) {
    this.manager.add([...files]);
    this.input.value = ''; // the same file may be chosen again
  }

  update(component) {
    this.component = component;
    this.manager.configure(component.data);
    this.root.dataset.ready = 'true';
    this.paint();
  }

  paint() {
    const jobs = this.manager.jobs;
    const alive = new Set(jobs.map((job) => job.id));
    [...this.rows].filter(([id]) => !alive.has(id)).forEach(([id]) => this.rows.delete(id));
    const rows = jobs.map((job) => this.rowOf(job));
    rows.forEach((row) => row.paint());
    const nodes = [...rows.map((row) => row.node), ...this.manager.listInterrupted().map((entry) => this.makeInterrupted(entry))];
    if (nodes.length !== this.list.children.length || nodes.some((node, i) => node !== this.list.children[i])) {
      this.list.replaceChildren(...nodes);
    }
    jobs.filter((job) => job.state === 'ended' && !job.isTold).forEach((job) => this.tellEnd(job));
  }

  rowOf(job) {
    if (!this.rows.has(job.id)) {
      this.rows.set(job.id, new Row(job, (action, of) => this.act(action, of), (text) => (this.announcer.textContent = text)));
    }
    return this.rows.get(job.id);
  }

  /** Python hears of the end once, from whichever page shows the list then. */
  tellEnd(job) {
    job.isTold = true;
    this.component.setTriggerValue('ended', { load_id: job.load.load_id, state: job.load.state, file_name: job.name });
  }

  act(action, job) {
    const acts = {
      cancel: () => job.cancel(),
      again: () => job.check(false),
      load: () => job.go('waiting'),
      remove: () => this.manager.remove(job),
      show: () => this.component.setTriggerValue('shown', { load_id: job.load.load_id, aim: 'map' }),
      rejects: () => this.component.setTriggerValue('shown', { load_id: job.load.load_id, aim: 'rejects' }),
    };
    acts[action]();
  }

  makeInterrupted([print, upload]) {
    const share = upload.bytes > 0 ? Math.floor((upload.sent / upload.bytes) * 100) : 0;
    return element(
      'li',
      { class: 'tt-row', 'data-state': 'interrupted', 'data-tone': 'idle' },
      element(
        'div',
        { class: 'tt-head' },
        element('span', { class: 'tt-name' }, upload.file_name),
        element('span', { class: 'tt-size' }, formatBytes(upload.bytes)),
        element('span', { class: 'tt-chip' }, 'Broken off'),
        element('span', { class: 'tt-buttons' }, element('button', { type: 'button', class: 'tt-button', onclick: () => this.manager.discard(print) }, 'Discard')),
      ),
      element('div', { class: 'tt-detail' }, `Broken off at ${share} %: choose the same file again and the upload goes on from there`),
    );
  }

  destroy() {
    this.manager.listeners.delete(this.schedule);
    this.parent.replaceChildren();
  }
}

/** @param {any} component */
export default function transfer(component) {
  const { parentElement } = component;
  let list = instances.get(parentElement);
  if (!list) {
    list = new TransferList(parentElement, getManager());
    instances.set(parentElement, list);
  }
  list.update(component);
  return () => {
    instances.get(parentElement)?.destroy();
    instances.delete(parentElement);
  };
}
