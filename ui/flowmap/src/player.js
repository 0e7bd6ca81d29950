/** Plays the flows of one hour of the day after another; stands still where less movement is preferred, and can be stepped. */
import { element, prefersStill } from '../../browser/dom.js';
import { formatCount } from './scale.js';

const STEP_MS = 1200;

/**
 * @typedef {{hour: number, trips: number, content: import('./flowdata.js').FlowData}} HourFlows
 */

export class DayPlayer {
  /** @param {HTMLElement} root where the controls go @param {(flows: HourFlows|null) => void} show null: back to the whole day */
  constructor(root, show) {
    this.show = show;
    /** @type {HourFlows[]} */
    this.hours = [];
    this.index = 0;
    this.timer = 0;
    this.toggle = element('button', { type: 'button', class: 'td-button', onclick: () => (this.timer ? this.stop() : this.start()) });
    this.slider = element('input', { type: 'range', min: '0', step: '1', 'aria-label': 'Hour of the day', oninput: () => this.step(Number(this.slider.value)) });
    this.label = element('output', { class: 'td-player-label' });
    this.node = element('div', { class: 'td-player', hidden: true, role: 'group', 'aria-label': 'The day, hour by hour' }, this.toggle, this.slider, this.label);
    root.append(this.node);
    this.motion = window.matchMedia('(prefers-reduced-motion: reduce)');
    this.onMotion = () => this.motion.matches && this.stop();
    this.motion.addEventListener('change', this.onMotion);
    this.showState();
  }

  /** @param {HourFlows[]} hours none: play nothing */
  load(hours) {
    const wasOff = this.hours.length === 0;
    this.hours = hours;
    this.node.hidden = hours.length === 0;
    this.slider.max = String(Math.max(0, hours.length - 1));
    if (hours.length === 0) {
      this.stop();
      this.index = 0;
      this.show(null);
      return;
    }
    this.step(Math.min(this.index, hours.length - 1));
    if (wasOff && !prefersStill()) {
      this.start();
    }
  }

  start() {
    this.timer ||= window.setInterval(() => this.step((this.index + 1) % this.hours.length), STEP_MS);
    this.showState();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.showState();
  }

  /** @param {number} index */
  step(index) {
    this.index = index;
    const shown = this.hours[index];
    const text = `${nameHour(shown.hour)} · ${formatCount(shown.trips)} trips`;
    this.slider.value = String(index);
    this.slider.setAttribute('aria-valuetext', text);
    this.label.textContent = text;
    this.show(shown);
  }

  showState() {
    const name = this.timer ? 'Pause' : 'Play';
    this.toggle.textContent = this.timer ? '❚❚' : '►';
    this.toggle.setAttribute('aria-label', name);
    this.toggle.title = name;
  }

  destroy() {
    this.stop();
    this.motion.removeEventListener('change', this.onMotion);
  }
}

/** 07:00–08:00 @param {number} hour */
export function nameHour(hour) {
  const [from, to] = [hour, hour + 1].map((each) => `${String(each).padStart(2, '0')}:00`);
  return `${from}–${to}`;
}
