/**
 * The box on the map: a DOM rectangle above everything, so that it is never hidden by flows and assistive tools see it.
 * Draw (button, or Shift and drag), move, eight handles, keys, touch.
 */
import { boxBetween, boxNear, boxSizeKm, clampLatitude, handlePoint, moveBox, resizeBox, wrapBox } from './boxmath.js';
import { element } from '../../browser/dom.js';
import { formatDistance, formatPoint } from './scale.js';

/** @typedef {import('./boxmath.js').Box} Box */
/** @typedef {import('./boxmath.js').Handle} Handle */

/** @type {Record<Handle, string>} */
const HANDLES = { nw: 'north-west', n: 'north', ne: 'north-east', e: 'east', se: 'south-east', s: 'south', sw: 'south-west', w: 'west' };
/** @type {Record<string, [number, number]>} */
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP_PX = 10;
const FINE_STEP_PX = 1;
const LEAST_SIZE_PX = 3; // a click is no box

export class BoxEditor {
  /**
   * @param {object} parts
   * @param {any} parts.map maplibre map @param {HTMLElement} parts.host the map's container
   * @param {import('./arealabel.js').AreaLabel} parts.label follows the box and counts its trips
   * @param {(box: Box|null, how: {isRepeated: boolean}) => void} parts.onCommit the person finished a change; repeated: as keys are
   * @param {(text: string) => void} parts.announce @param {(isDrawing: boolean) => void} parts.onMode
   * @param {(event: PointerEvent) => void} parts.onTap a click on the box that moved nothing: it means what lies below
   */
  constructor({ map, host, label, onCommit, announce, onMode, onTap }) {
    Object.assign(this, { map, host, label, onCommit, announce, onMode, onTap });
    /** @type {Box|null} */
    this.box = null;
    this.drag = null;
    this.isDrawing = false;
    this.node = element('div', { class: 'td-box', role: 'group', tabindex: '0', 'aria-roledescription': 'box', hidden: true });
    for (const [handle, name] of Object.entries(HANDLES)) {
      const isEdge = handle.length === 1;
      const label = `Resize ${name}: drag, or use the arrow keys`;
      this.node.append(
        element('div', { class: `td-handle td-handle-${handle}`, 'data-handle': handle, role: 'button', 'aria-label': label, ...(isEdge ? {} : { tabindex: '0' }) }),
      );
    }
    host.append(this.node);
    this.listen();
  }

  listen() {
    const capture = { capture: true };
    this.host.addEventListener('pointerdown', (event) => this.start(event), capture);
    this.host.addEventListener('pointermove', (event) => this.follow(event), capture);
    this.host.addEventListener('pointerup', (event) => this.finish(event), capture);
    this.host.addEventListener('pointercancel', () => this.cancel(), capture);
    // maplibre listens to mouse and touch events as well as to pointer events: all of them are ours during a drag
    for (const type of ['mousedown', 'mousemove', 'touchstart', 'touchmove']) {
      this.host.addEventListener(type, (event) => this.drag && stop(event), { capture: true, passive: false });
    }
    this.host.addEventListener('keydown', (event) => this.onKey(event));
    // Escape must work wherever the focus is while the pointer draws
    this.onEscape = (event) => event.key === 'Escape' && (this.drag || this.isDrawing) && (stop(event), this.cancel());
    window.addEventListener('keydown', this.onEscape, capture);
    this.map.on('move', () => this.paint());
    this.map.on('resize', () => this.paint());
  }

  destroy() {
    window.removeEventListener('keydown', this.onEscape, { capture: true });
  }

  /** Show a box without reporting it. @param {Box|null} box */
  set(box) {
    if (this.box && !box) {
      this.label.hide();
    }
    this.box = box;
    this.paint();
    this.settle();
  }

  /** Remove the box and report it. */
  clear() {
    const hadFocus = this.node.contains(this.node.getRootNode().activeElement);
    this.change(null);
    if (hadFocus) {
      this.map.getCanvas().focus();
    }
  }

  /** Wait for a drag that draws a box, or stop waiting. @param {boolean} isDrawing */
  setDrawing(isDrawing) {
    this.isDrawing = isDrawing;
    this.host.classList.toggle('td-drawing', isDrawing);
    this.onMode(isDrawing);
  }

  /** Put a box over the middle of the view, for those who draw with keys. */
  drawInMiddle() {
    const { clientWidth: width, clientHeight: height } = this.host;
    const corner = (share) => toPoint(this.map.unproject([width * share, height * share]));
    this.setDrawing(false);
    this.change(boxBetween(corner(0.3), corner(0.7)));
    this.node.focus();
  }

  /** @param {PointerEvent} event */
  start(event) {
    const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
    const handle = /** @type {Handle|undefined} */ (target.dataset?.handle);
    const isOnMap = target === this.map.getCanvas() || this.map.getCanvasContainer().contains(target) || this.node.contains(target);
    if (event.button !== 0 || this.drag || !isOnMap) {
      return;
    }
    const at = this.pointAt(event);
    const before = this.box;
    const near = before && boxNear(before, this.map.getCenter().lng);
    if (this.isDrawing || event.shiftKey) {
      this.drag = { draw: (to) => boxBetween(at, to), isNew: true };
    } else if (near && handle) {
      this.drag = { draw: (to) => resizeBox(near, handle, to) };
    } else if (near && this.node.contains(target)) {
      this.drag = { draw: (to) => moveBox(near, [to[0] - at[0], to[1] - at[1]]) };
    } else {
      return;
    }
    Object.assign(this.drag, { before, startX: event.clientX, startY: event.clientY });
    this.label.stop();
    this.host.setPointerCapture(event.pointerId);
    this.host.classList.add('td-dragging');
    stop(event);
  }

  /** @param {PointerEvent} event */
  follow(event) {
    if (!this.drag) {
      return;
    }
    const { startX, startY } = this.drag;
    stop(event);
    if (!this.drag.hasMoved && Math.hypot(event.clientX - startX, event.clientY - startY) < LEAST_SIZE_PX) {
      return;
    }
    this.drag.hasMoved = true;
    this.box = this.drag.draw(this.pointAt(event));
    this.paint();
    this.label.follow(areaOf(this.box));
  }

  /** @param {PointerEvent} event */
  finish(event) {
    if (!this.drag) {
      return;
    }
    const { hasMoved, isNew } = this.drag;
    this.endDrag();
    if (hasMoved) {
      this.change(this.box);
      this.node.focus({ preventScroll: true });
    } else {
      this.settle();
      if (!isNew) {
        this.onTap(event);
      }
    }
  }

  /** Give up what is being drawn or dragged. */
  cancel() {
    if (this.drag) {
      this.box = this.drag.before;
      this.endDrag();
      this.set(this.box);
    }
    this.setDrawing(false);
  }

  endDrag() {
    this.drag = null;
    this.host.classList.remove('td-dragging');
    this.setDrawing(false);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
    if (!this.box || !this.node.contains(target)) {
      return;
    }
    if (event.key === 'Delete' || event.key === 'Backspace') {
      stop(event);
      this.clear();
    } else if (KEYS[event.key]) {
      stop(event);
      this.nudge(KEYS[event.key], event.shiftKey ? FINE_STEP_PX : STEP_PX, target.dataset.handle);
    }
  }

  /** @param {[number, number]} direction @param {number} stepPx @param {string|undefined} handle */
  nudge([x, y], stepPx, handle) {
    const from = handlePoint(this.box, /** @type {Handle} */ (handle ?? 'nw'));
    const pixel = this.map.project(from);
    const to = toPoint(this.map.unproject([pixel.x + x * stepPx, pixel.y + y * stepPx]));
    const box = handle ? resizeBox(this.box, /** @type {Handle} */ (handle), to) : moveBox(this.box, [to[0] - from[0], to[1] - from[1]]);
    this.change(box, { isRepeated: true });
  }

  /** @param {Box|null} box */
  change(box, { isRepeated = false } = {}) {
    this.set(box);
    this.announce(box ? `Box ${describe(box)}` : 'Box cleared');
    this.onCommit(box, { isRepeated });
  }

  /** The box has come to rest. */
  settle() {
    if (this.box) {
      this.label.settle(areaOf(this.box));
    }
  }

  paint() {
    this.node.hidden = !this.box;
    if (!this.box) {
      return;
    }
    const [west, south, east, north] = boxNear(this.box, this.map.getCenter().lng);
    const topLeft = this.map.project([west, clampLatitude(north)]);
    const bottomRight = this.map.project([east, clampLatitude(south)]);
    const [width, height] = [bottomRight.x - topLeft.x, bottomRight.y - topLeft.y];
    Object.assign(this.node.style, { left: `${topLeft.x}px`, top: `${topLeft.y}px`, width: `${width}px`, height: `${height}px` });
    this.node.setAttribute('aria-label', `Box ${describe(this.box)}. Arrow keys move it, Delete clears it.`);
    this.label.place({ x: topLeft.x + width / 2, y: topLeft.y }, boxSizeKm(this.box).map(formatDistance).join(' × '));
  }

  /** @param {PointerEvent} event @returns {import('./boxmath.js').Point} */
  pointAt(event) {
    const { left, top } = this.host.getBoundingClientRect();
    return toPoint(this.map.unproject([event.clientX - left, event.clientY - top]));
  }
}

/** @param {{lng: number, lat: number}} place @returns {import('./boxmath.js').Point} */
function toPoint(place) {
  return [place.lng, clampLatitude(place.lat)];
}

/** @param {Box} box */
function describe(box) {
  const size = boxSizeKm(box).map(formatDistance).join(' by ');
  return `from ${formatPoint(box[0], box[1])} to ${formatPoint(box[2], box[3])}, ${size}`;
}

/** As the hub takes it. @param {Box} box @returns {import('./livecount.js').Area} */
function areaOf(box) {
  return { bbox: wrapBox(box).join(',') };
}

/** @param {Event} event */
function stop(event) {
  event.stopPropagation();
  if (event.cancelable) {
    event.preventDefault();
  }
}
