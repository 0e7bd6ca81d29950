/**
 * The label of an area on the map: its size, and its weekly average and trips, which follow it while it moves.
 *
 *     label.place({ x: 320, y: 80 }, '7.3 km × 5.1 km');   // pixels of the map; the label stands above that point
 *     label.follow({ bbox: '7.5,45,7.7,45.1' });            // or settle: see livecount.js
 *     label.hide();
 */
import { element } from '../../browser/dom.js';
import { LiveCount } from './livecount.js';
import { formatAverage, formatCount } from './scale.js';

const UNCOUNTED = { away: 'no answer, trying again', refused: 'not counted' };

export class AreaLabel {
  /** @param {HTMLElement} host the map's container */
  constructor(host) {
    this.host = host;
    this.size = element('span', { class: 'td-area-size' });
    this.numbers = element('span', { class: 'td-area-count' });
    this.node = element('div', { class: 'td-area-label', 'aria-hidden': 'true', hidden: true }, this.numbers, this.size);
    this.count = new LiveCount((count, area) => this.show(count, area));
    /** @type {string|undefined} the area on the map, and the one that the number is of */
    this.area = undefined;
    this.counted = undefined;
    this.at = { x: 0, y: 0 };
    host.append(this.node);
  }

  /** @param {import('./livecount.js').HubQuestion|null} question */
  configure(question) {
    this.count.configure(question);
  }

  /** Stand above a point, within the map. @param {{x: number, y: number}} at @param {string} size */
  place(at, size) {
    this.node.hidden = false;
    this.size.textContent = size;
    this.at = at;
    this.keepWithin();
  }

  keepWithin() {
    const { at } = this;
    const { offsetWidth: width, offsetHeight: height } = this.node;
    const left = Math.max(0, Math.min(this.host.clientWidth - width, at.x - width / 2));
    const top = Math.max(0, Math.min(this.host.clientHeight - height, at.y - height));
    this.node.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }

  /** Count an area that moves. @param {import('./livecount.js').Area} area */
  follow(area) {
    this.mark(area);
    this.count.follow(area);
  }

  /** Count an area that has come to rest. @param {import('./livecount.js').Area} area */
  settle(area) {
    this.mark(area);
    this.count.settle(area);
  }

  /** Break off the count that runs. */
  stop() {
    this.count.stop();
  }

  hide() {
    this.stop();
    this.node.hidden = true;
    this.numbers.textContent = '';
    this.counted = undefined;
  }

  /** A number of another area is paler. @param {import('./livecount.js').Area} area */
  mark(area) {
    this.area = new URLSearchParams(area).toString();
    this.node.dataset.area = this.area;
    this.node.dataset.state = this.area === this.counted ? 'counted' : 'pending';
  }

  /** @param {import('./livecount.js').Count} count @param {import('./livecount.js').Area} area */
  show(count, area) {
    if (count.state === 'counted') {
      const { trips, average } = count;
      this.numbers.textContent = `${formatAverage(average)} a week · ${formatCount(trips)} ${trips === 1 ? 'trip' : 'trips'}`;
      this.counted = new URLSearchParams(area).toString();
      this.node.dataset.state = this.area === this.counted ? 'counted' : 'pending';
    } else {
      this.numbers.textContent = UNCOUNTED[count.state];
      this.counted = undefined;
      this.node.dataset.state = count.state;
    }
    this.keepWithin();
  }
}
