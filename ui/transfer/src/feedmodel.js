/** The history's loads, kept from the feed; free of the DOM. */
import { RateMeter } from './parts.js';
import { TERMINAL_STATES } from './wording.js';

export class FeedModel {
  constructor() {
    /** @type {Map<number, {load: any, meter: RateMeter}>} */
    this.entries = new Map();
  }

  /** Take an event; says what Python should hear: a load that is new or has ended. @param {any} event @param {boolean} isNews @param {number} nowMs @returns {'begun'|'ended'|null} */
  take(event, isNews, nowMs) {
    const known = this.entries.get(event.load_id);
    if (known && known.load.seq >= event.seq) {
      return null;
    }
    const entry = known ?? { load: event, meter: new RateMeter() };
    const wasOver = known ? TERMINAL_STATES.has(known.load.state) : false;
    const hasChangedEnd = known?.load.state !== event.state;
    entry.load = event;
    entry.meter.add(event.rows_read, nowMs);
    this.entries.set(event.load_id, entry);
    if (!isNews) {
      return null;
    }
    if (TERMINAL_STATES.has(event.state)) {
      return hasChangedEnd ? 'ended' : null;
    }
    return !known || wasOver ? 'begun' : null;
  }

  /** Older loads, from REST: they have no seq, and never replace what the feed said. @param {any[]} loads */
  addOlder(loads) {
    loads.filter((load) => !this.entries.has(load.load_id)).forEach((load) => {
      this.entries.set(load.load_id, { load: { ...load, seq: -1 }, meter: new RateMeter() });
    });
  }

  /** Newest first. */
  list() {
    return [...this.entries.values()].sort((a, b) => b.load.load_id - a.load.load_id);
  }

  /** Number of the oldest load, 0 without any. */
  get oldest() {
    return Math.min(...this.entries.keys(), Number.MAX_SAFE_INTEGER) % Number.MAX_SAFE_INTEGER;
  }
}
