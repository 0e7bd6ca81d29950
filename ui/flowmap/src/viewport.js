/**
 * Report the view to Python only when it needs other data: when the map shows ground outside the last report's padded
 * bounds, or another zoom.
 */
import { clampLatitude, containsBox, growBox, unwrapBox, wrapBox } from './boxmath.js';

const PAUSE_MS = 350;
const PADDING = 0.3; // of the view's width and height on each side: small pans stay within
const ZOOM_STEP = 0.75;

export class ViewportReporter {
  /** @param {any} map @param {(viewport: object) => void} report */
  constructor(map, report) {
    this.map = map;
    this.report = report;
    /** @type {{bounds: import('./boxmath.js').Box, zoom: number}|null} */
    this.last = null;
    this.timer = 0;
    map.on('moveend', () => this.schedule());
  }

  /** What Python already knows. @param {{bounds: import('./boxmath.js').Box, zoom: number}|null} known */
  assume(known) {
    this.last = known && { bounds: unwrapBox(known.bounds), zoom: known.zoom };
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.check(), PAUSE_MS);
  }

  stop() {
    clearTimeout(this.timer);
  }

  check() {
    const bounds = readBounds(this.map);
    const zoom = Number(this.map.getZoom().toFixed(2));
    if (this.last && Math.abs(zoom - this.last.zoom) < ZOOM_STEP && containsBox(this.last.bounds, bounds)) {
      return;
    }
    this.last = { bounds: growBox(bounds, PADDING), zoom };
    const { lng, lat } = this.map.getCenter().wrap();
    this.report({ bounds: wrapBox(this.last.bounds), zoom, longitude: Number(lng.toFixed(6)), latitude: Number(lat.toFixed(6)) });
  }
}

/** @param {any} map @returns {import('./boxmath.js').Box} */
export function readBounds(map) {
  const bounds = map.getBounds();
  return [bounds.getWest(), clampLatitude(bounds.getSouth()), bounds.getEast(), clampLatitude(bounds.getNorth())];
}
