/** One file's row on the page. */
import { element } from '../../browser/dom.js';
import { Review } from './review.js';
import { STAGES, viewJob } from './rowview.js';
import { formatBytes } from './wording.js';

/** @type {Record<string, string>} */
const ACTION_LABELS = { cancel: 'Cancel', again: 'Try again', remove: 'Remove', load: 'Load this file', show: 'Show on map', rejects: 'See rejects' };

export class Row {
  /** @param {import('./job.js').Job} job @param {(action: string, job: import('./job.js').Job) => void} onAction @param {(text: string) => void} announce */
  constructor(job, onAction, announce) {
    this.job = job;
    this.onAction = onAction;
    this.announce = announce;
    this.name = element('span', { class: 'tt-name' });
    this.size = element('span', { class: 'tt-size' });
    this.chip = element('span', { class: 'tt-chip' });
    this.buttons = element('span', { class: 'tt-buttons' });
    this.fill = element('span', { class: 'tt-fill' });
    this.bar = element('div', { class: 'tt-bar', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' }, this.fill);
    this.detail = element('div', { class: 'tt-detail' });
    this.steps = element('ol', { class: 'tt-steps', 'aria-hidden': 'true' }, ...STAGES.map((stage) => element('li', {}, stage)));
    const head = element('div', { class: 'tt-head' }, this.name, this.size, this.chip, this.steps, this.buttons);
    this.node = element('li', { class: 'tt-row' }, head, this.bar, this.detail);
  }

  paint() {
    const view = viewJob(this.job);
    setText(this.name, this.job.name);
    this.name.title = this.job.name;
    setText(this.size, this.job.bytes ? formatBytes(this.job.bytes) : '');
    setText(this.detail, view.detail);
    this.paintBar(view);
    if (view.stage !== this.stage) {
      this.announce(`${this.job.name}: ${view.stage}. ${view.tone === 'busy' ? '' : view.detail}`);
    }
    if (view.stage !== this.stage || String(view.actions) !== this.actions) {
      this.stage = view.stage;
      this.actions = String(view.actions);
      this.paintStage(view);
    }
    this.paintReview();
    Object.assign(this.node.dataset, { state: this.job.state, load: this.job.loadId ?? '', loadState: this.job.load?.state ?? '', reused: this.job.reused });
  }

  /** @param {import('./rowview.js').RowView} view */
  paintBar({ share, tone, stage }) {
    const percent = share === null ? null : Math.floor(share * 100);
    this.bar.hidden = tone === 'idle' || (tone === 'bad' && share === null);
    this.bar.setAttribute('aria-label', `${this.job.name}: ${stage}`);
    this.bar.classList.toggle('tt-bar-unknown', share === null && tone === 'busy');
    if (percent === null) {
      this.bar.removeAttribute('aria-valuenow');
    } else {
      this.bar.setAttribute('aria-valuenow', String(percent));
    }
    this.fill.style.transform = `scaleX(${share ?? 0})`;
  }

  /** @param {import('./rowview.js').RowView} view */
  paintStage(view) {
    setText(this.chip, view.stage);
    this.node.dataset.tone = view.tone;
    [...this.steps.children].forEach((step, i) => {
      step.className = i < view.step ? 'tt-past' : i === view.step ? 'tt-now' : '';
    });
    this.buttons.replaceChildren(...view.actions.map((action) => this.makeButton(action)));
  }

  makeButton(action) {
    const isMain = action === 'load' || action === 'show';
    const label = ACTION_LABELS[action];
    return element(
      'button',
      { type: 'button', class: isMain ? 'tt-button tt-main' : 'tt-button', 'aria-label': `${label}: ${this.job.name}`, onclick: () => this.onAction(action, this.job) },
      label,
    );
  }

  paintReview() {
    const isOpen = this.job.state === 'review';
    if (isOpen && !this.review) {
      this.review = new Review(this.job);
      this.node.append(this.review.node);
    } else if (!isOpen && this.review) {
      this.review.node.remove();
      this.review = null;
    }
  }
}

/** @param {HTMLElement} node @param {string} text */
function setText(node, text) {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}
