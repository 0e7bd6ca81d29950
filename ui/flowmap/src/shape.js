/**
 * The shape on the map: an SVG path above everything, as the box is, with a handle for each vertex and each middle of an edge.
 * Draw (click points; double click, Enter or a click on the first point closes; Escape gives up), move it, its vertices and
 * middles, with mouse, keys and touch.
 */
import { svgElement } from '../../browser/dom.js';
import { formatArea, formatPoint } from './scale.js';
import { LEAST_VERTICES, areaKm2, boundsOf, insertVertex, midpoint, moveRings, moveVertex, removeVertex, ringsNear, toGeoJson, wrapRings } from './shapemath.js';

/** @typedef {import('./shapemath.js').Rings} Rings */
/** @typedef {import('./shapemath.js').VertexAt} VertexAt */
/** @typedef {import('./boxmath.js').Point} Point */

/** @type {Record<string, [number, number]>} */
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP_PX = 10;
const FINE_STEP_PX = 1;
const TAP_PX = 4; // less is no drag
const CLOSE_PX = 10; // as near to the first point closes the shape
const DOUBLE_TAP_MS = 350;
const MOST_HANDLES = 150; // more in sight would hide the edge and slow the map

export class ShapeEditor {
  /**
   * @param {object} parts
   * @param {any} parts.map maplibre map @param {HTMLElement} parts.host the map's container
   * @param {import('./arealabel.js').AreaLabel} parts.label follows the shape and counts its trips
   * @param {(rings: Rings|null, how: {isRepeated: boolean}) => void} parts.onCommit the person finished a change; repeated: as keys are
   * @param {(text: string) => void} parts.announce @param {(isDrawing: boolean) => void} parts.onMode
   * @param {(event: PointerEvent) => void} parts.onTap a click on the shape that moved nothing: it means what lies below
   */
  constructor({ map, host, label, onCommit, announce, onMode, onTap }) {
    Object.assign(this, { map, host, label, onCommit, announce, onMode, onTap });
    /** @type {Rings|null} */
    this.rings = null;
    /** @type {Point[]|null} what is being drawn */
    this.draft = null;
    this.pointer = null;
    this.drag = null;
    this.tap = null;
    this.closedAt = 0;
    /** @type {VertexAt} */
    this.chosen = { ring: 0, vertex: 0 };
    this.path = svgElement('path', { class: 'td-shape-path', tabindex: '0', role: 'group', 'aria-roledescription': 'shape', 'fill-rule': 'evenodd' });
    this.line = svgElement('path', { class: 'td-shape-draft' });
    this.handles = svgElement('g');
    this.node = svgElement('svg', { class: 'td-shape' }, this.path, this.line, this.handles);
    host.append(this.node);
    this.listen();
    this.paint();
  }

  /** Whether the pointer draws, or has just drawn: a click is no click on the map then. */
  get isDrawing() {
    return this.draft !== null || performance.now() - this.closedAt < DOUBLE_TAP_MS;
  }

  listen() {
    const capture = { capture: true };
    this.host.addEventListener('pointerdown', (event) => this.start(event), capture);
    this.host.addEventListener('pointermove', (event) => this.follow(event), capture);
    this.host.addEventListener('pointerup', (event) => this.finish(event), capture);
    this.host.addEventListener('pointercancel', () => this.cancelDrag(), capture);
    this.node.addEventListener('keydown', (event) => this.onKey(event));
    this.node.addEventListener('focusin', (event) => this.choose(event.target));
    // The shape lies beside the map's canvas, which zooms by the wheel
    this.node.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.map.getCanvas().dispatchEvent(new WheelEvent('wheel', event));
    });
    this.onWindowKey = (event) => this.onDrawingKey(event);
    window.addEventListener('keydown', this.onWindowKey, capture);
    this.map.on('move', () => this.paint());
    this.map.on('resize', () => this.paint());
  }

  destroy() {
    window.removeEventListener('keydown', this.onWindowKey, { capture: true });
  }

  /** Show a shape without reporting it. @param {Rings|null} rings */
  set(rings) {
    if (this.rings && !rings) {
      this.label.hide();
    }
    this.rings = rings;
    if (rings && !rings[this.chosen.ring]?.[this.chosen.vertex]) {
      this.chosen = { ring: 0, vertex: 0 };
    }
    this.paint();
    this.settle();
  }

  /** Remove the shape and report it. */
  clear() {
    const hadFocus = this.node.contains(/** @type {ShadowRoot} */ (this.node.getRootNode()).activeElement);
    this.change(null);
    if (hadFocus) {
      this.map.getCanvas().focus();
    }
  }

  /** Begin to draw, or give up what is drawn. @param {boolean} isDrawing */
  setDrawing(isDrawing) {
    if (isDrawing === (this.draft !== null)) {
      return;
    }
    this.draft = isDrawing ? [] : null;
    this.pointer = null;
    this.map.doubleClickZoom[isDrawing ? 'disable' : 'enable']();
    this.host.classList.toggle('td-drawing', isDrawing);
    if (isDrawing) {
      this.announce('Click the points of the shape. Enter or a double click closes it, Escape gives up.');
    }
    this.onMode(isDrawing);
    this.paint();
  }

  /** Put a shape over the middle of the view, for those who draw with keys. */
  drawInMiddle() {
    const { clientWidth: width, clientHeight: height } = this.host;
    const corners = [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]];
    this.setDrawing(false);
    this.change([corners.map(([across, down]) => toPoint(this.map.unproject([width * across, height * down])))]);
    this.focusVertex();
  }

  /** @param {PointerEvent} event */
  start(event) {
    const target = /** @type {SVGElement} */ (event.composedPath()[0]);
    const isOnShape = this.node.contains(target);
    if (event.button !== 0 || this.drag || event.shiftKey) {
      return;
    }
    if (this.draft) {
      this.tap = isOnShape || this.map.getCanvasContainer().contains(target) ? { x: event.clientX, y: event.clientY } : null;
      return; // the map may be dragged meanwhile
    }
    if (!isOnShape) {
      return;
    }
    const before = this.rings;
    const shown = ringsNear(this.rings, this.map.getCenter().lng);
    const at = readAt(target);
    const from = this.pointAt(event);
    if (at && target.classList.contains('td-shape-middle')) {
      this.drag = { draw: (to) => insertVertex(shown, at, to), chosen: { ring: at.ring, vertex: at.vertex + 1 } };
    } else if (at) {
      this.drag = { draw: (to) => moveVertex(shown, at, to), chosen: at };
    } else {
      this.drag = { draw: (to) => moveRings(shown, [to[0] - from[0], to[1] - from[1]]) };
    }
    Object.assign(this.drag, { before, startX: event.clientX, startY: event.clientY });
    this.label.stop();
    this.host.setPointerCapture(event.pointerId);
    this.host.classList.add('td-dragging');
    stop(event);
  }

  /** @param {PointerEvent} event */
  follow(event) {
    if (this.draft?.length) {
      this.pointer = this.pointAt(event);
      this.paintDraft();
      if (this.draft.length >= LEAST_VERTICES - 1) {
        this.label.follow(areaOf([[...this.draft, this.pointer]]));
      }
      return;
    }
    if (!this.drag) {
      return;
    }
    const { startX, startY } = this.drag;
    stop(event);
    if (!this.drag.hasMoved && Math.hypot(event.clientX - startX, event.clientY - startY) < TAP_PX) {
      return;
    }
    this.drag.hasMoved = true;
    this.rings = this.drag.draw(this.pointAt(event));
    this.paint();
    this.label.follow(areaOf(this.rings));
  }

  /** @param {PointerEvent} event */
  finish(event) {
    if (this.draft) {
      const isTap = this.tap && Math.hypot(event.clientX - this.tap.x, event.clientY - this.tap.y) < TAP_PX;
      this.tap = null;
      if (isTap) {
        this.addPoint(event);
      }
      return;
    }
    if (!this.drag) {
      return;
    }
    const { hasMoved, chosen } = this.drag;
    this.endDrag();
    if (chosen && hasMoved) {
      this.chosen = chosen;
    }
    if (hasMoved) {
      this.change(this.rings);
    } else {
      this.settle();
    }
    if (chosen) {
      this.chosen = hasMoved || this.rings[chosen.ring].length > chosen.vertex ? chosen : this.chosen;
      this.focusVertex();
    } else if (hasMoved) {
      this.path.focus({ preventScroll: true });
    } else {
      this.onTap(event);
    }
  }

  /** A tap while drawing: another point, or the last one where it comes twice, or lies on the first. @param {PointerEvent} event */
  addPoint(event) {
    const point = this.pointAt(event);
    const isNear = (other) => other && this.distancePx(point, other) < CLOSE_PX;
    const isSecond = event.timeStamp - (this.tappedAt ?? -Infinity) < DOUBLE_TAP_MS && isNear(this.draft.at(-1));
    this.tappedAt = event.timeStamp;
    if (isSecond || (this.draft.length >= LEAST_VERTICES && isNear(this.draft[0]))) {
      this.close();
      return;
    }
    this.draft.push(point);
    this.pointer = null;
    this.announce(`Point ${this.draft.length}: ${formatPoint(...point)}`);
    this.paint();
  }

  /** Make a shape of what is drawn; too few points are no shape yet. */
  close() {
    const { draft } = this;
    if (draft.length < LEAST_VERTICES) {
      this.announce('A shape needs three points at least.');
      return;
    }
    this.closedAt = performance.now();
    this.setDrawing(false);
    this.chosen = { ring: 0, vertex: 0 };
    this.change([draft]);
    this.path.focus({ preventScroll: true });
  }

  /** Escape, Enter and Backspace work wherever the focus is while the pointer draws. @param {KeyboardEvent} event */
  onDrawingKey(event) {
    if (event.key === 'Escape' && (this.drag || this.draft)) {
      stop(event);
      this.cancelDrag();
      this.setDrawing(false);
      this.settle();
    } else if (event.key === 'Enter' && this.draft?.length) {
      stop(event);
      this.close();
    } else if (event.key === 'Backspace' && this.draft?.length) {
      stop(event);
      this.draft.pop();
      this.paint();
    }
  }

  cancelDrag() {
    this.tap = null;
    if (this.drag) {
      const { before } = this.drag;
      this.endDrag();
      this.set(before);
    }
  }

  endDrag() {
    this.drag = null;
    this.host.classList.remove('td-dragging');
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const at = readAt(/** @type {Element} */ (event.composedPath()[0]));
    if (!this.rings || this.draft) {
      return;
    }
    const key = event.key === 'Backspace' ? 'Delete' : event.key;
    if (KEYS[key]) {
      this.nudge(KEYS[key], event.shiftKey ? FINE_STEP_PX : STEP_PX, at);
    } else if (key === 'Delete' && at) {
      this.remove(at);
    } else if (key === 'Delete') {
      this.clear();
    } else if (key === 'Insert' || key === '+') {
      this.insert(this.chosen);
    } else if (key === 'PageDown' || key === 'PageUp') {
      this.step(key === 'PageDown' ? 1 : -1);
    } else {
      return;
    }
    stop(event);
  }

  /** @param {[number, number]} direction @param {number} stepPx @param {VertexAt|null} at null: the whole shape */
  nudge([x, y], stepPx, at) {
    const from = at ? this.rings[at.ring][at.vertex] : this.rings[0][0];
    const pixel = this.map.project(from);
    const to = toPoint(this.map.unproject([pixel.x + x * stepPx, pixel.y + y * stepPx]));
    this.change(at ? moveVertex(this.rings, at, to) : moveRings(this.rings, [to[0] - from[0], to[1] - from[1]]), { isRepeated: true });
    if (at) {
      this.focusVertex();
    }
  }

  /** @param {VertexAt} at */
  remove(at) {
    const rings = removeVertex(this.rings, at);
    this.chosen = { ring: 0, vertex: 0, ...(rings?.[at.ring]?.length && { ring: at.ring, vertex: Math.min(at.vertex, rings[at.ring].length - 1) }) };
    if (rings) {
      this.change(rings);
      this.focusVertex();
    } else {
      this.clear();
    }
  }

  /** Add a vertex in the middle of the edge after one. @param {VertexAt} after */
  insert(after) {
    this.chosen = { ring: after.ring, vertex: after.vertex + 1 };
    this.change(insertVertex(this.rings, after, midpoint(this.rings[after.ring], after.vertex)));
    this.focusVertex();
  }

  /** Choose the next or previous vertex. @param {number} by */
  step(by) {
    const all = this.rings.flatMap((ring, number) => ring.map((_, vertex) => ({ ring: number, vertex })));
    const now = all.findIndex(({ ring, vertex }) => ring === this.chosen.ring && vertex === this.chosen.vertex);
    this.chosen = all[(now + by + all.length) % all.length];
    this.paint();
    this.focusVertex();
  }

  focusVertex() {
    /** @type {SVGElement|null} */ (this.handles.querySelector('.td-shape-vertex[tabindex="0"]'))?.focus({ preventScroll: true });
  }

  /** The focused vertex is the chosen one. @param {EventTarget|null} target */
  choose(target) {
    const at = readAt(/** @type {Element} */ (target));
    if (at) {
      this.chosen = at;
    }
  }

  /** @param {Rings|null} rings */
  change(rings, { isRepeated = false } = {}) {
    this.set(rings);
    this.announce(rings ? `Shape ${describe(rings)}` : 'Shape cleared');
    this.onCommit(rings, { isRepeated });
  }

  /** The shape has come to rest. */
  settle() {
    if (this.rings) {
      this.label.settle(areaOf(this.rings));
    }
  }

  paint() {
    this.node.toggleAttribute('hidden', !this.rings && !this.draft);
    this.path.setAttribute('d', '');
    const focused = /** @type {ShadowRoot} */ (this.node.getRootNode()).activeElement;
    const hadVertex = focused?.classList.contains('td-shape-vertex') && this.node.contains(focused);
    this.paintDraft();
    if (this.draft) {
      return;
    }
    if (!this.rings) {
      this.paintHandles([]);
      return;
    }
    const shown = ringsNear(this.rings, this.map.getCenter().lng);
    this.path.setAttribute('d', shown.map((ring) => `${this.trace(ring)}Z`).join(''));
    this.path.setAttribute('aria-label', `Shape ${describe(this.rings)}. Arrow keys move it, Tab goes to its vertices, Delete clears it.`);
    this.paintHandles(this.listHandles(shown));
    if (hadVertex) {
      this.focusVertex();
    }
    const [west, , east, north] = boundsOf(shown);
    this.label.place(this.map.project([(west + east) / 2, north]), formatArea(areaKm2(this.rings)));
  }

  paintDraft() {
    const points = this.draft ? [...this.draft, ...(this.pointer ? [this.pointer] : [])] : [];
    this.line.setAttribute('d', points.length ? this.trace(points) : '');
    if (!this.draft) {
      return;
    }
    this.paintHandles(this.draft.map((point) => this.describeHandle('vertex', point, {})));
    if (points.length >= LEAST_VERTICES) {
      const [west, , east, north] = boundsOf([points]);
      this.label.place(this.map.project([(west + east) / 2, north]), formatArea(areaKm2([points])));
    } else {
      this.label.hide();
    }
  }

  /** Draw handles with the circles that are there: a new one would lose the focus and the pointer. @param {Record<string, any>[]} described attributes of each */
  paintHandles(described) {
    const circles = [...this.handles.children];
    circles.slice(described.length).forEach((circle) => circle.remove());
    described.forEach((attributes, i) => {
      const circle = circles[i] ?? this.handles.appendChild(svgElement('circle'));
      circle.getAttributeNames().filter((name) => !(name in attributes)).forEach((name) => circle.removeAttribute(name));
      Object.entries(attributes).forEach(([name, value]) => circle.setAttribute(name, String(value)));
    });
  }

  /** Attributes of the handles of what is in sight, unless it is too much. @param {Rings} shown */
  listHandles(shown) {
    const { clientWidth: width, clientHeight: height } = this.host;
    const isInSight = ({ x, y }) => x >= 0 && y >= 0 && x <= width && y <= height;
    const found = shown.flatMap((ring, number) => ring.map((point, vertex) => ({ ring: number, vertex, point })));
    const seen = found.filter(({ point }) => isInSight(this.map.project(point)));
    if (seen.length > MOST_HANDLES) {
      return [];
    }
    const middles = seen.map((at) => this.describeHandle('middle', midpoint(shown[at.ring], at.vertex), { ...at, hint: 'Drag to add a vertex' }));
    const vertices = seen.map((at) => {
      const isChosen = at.ring === this.chosen.ring && at.vertex === this.chosen.vertex;
      const name = `Vertex ${at.vertex + 1} of ${shown[at.ring].length}, ${formatPoint(...at.point)}`;
      const hint = `${name}. Arrow keys move it, Page Up and Page Down choose another, Insert adds one, Delete removes it.`;
      return this.describeHandle('vertex', at.point, { ...at, hint, isChosen });
    });
    return [...middles, ...vertices];
  }

  /** @param {'vertex'|'middle'} kind @param {Point} point @param {{ring?: number, vertex?: number, hint?: string, isChosen?: boolean}} more */
  describeHandle(kind, point, { ring, vertex, hint, isChosen = false }) {
    const { x, y } = this.map.project(point);
    const named = hint ? { role: 'button', 'aria-label': hint, 'data-ring': ring, 'data-vertex': vertex } : {};
    const focusable = kind === 'vertex' && hint ? { tabindex: isChosen ? '0' : '-1' } : {};
    const r = kind === 'vertex' ? 6 : 4.5;
    return { class: `td-shape-${kind}`, cx: x.toFixed(1), cy: y.toFixed(1), r, ...named, ...focusable };
  }

  /** @param {Point[]} points */
  trace(points) {
    return points.map((point, i) => {
      const { x, y } = this.map.project(point);
      return `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    }).join('');
  }

  /** @param {Point} a @param {Point} b */
  distancePx(a, b) {
    const [p, q] = [this.map.project(a), this.map.project(b)];
    return Math.hypot(p.x - q.x, p.y - q.y);
  }

  /** @param {PointerEvent} event @returns {Point} */
  pointAt(event) {
    const { left, top } = this.host.getBoundingClientRect();
    return toPoint(this.map.unproject([event.clientX - left, event.clientY - top]));
  }
}

/** The vertex that a handle stands for. @param {Element|null} target @returns {VertexAt|null} */
function readAt(target) {
  const { ring, vertex } = /** @type {SVGElement} */ (target)?.dataset ?? {};
  return vertex === undefined ? null : { ring: Number(ring), vertex: Number(vertex) };
}

/** @param {{lng: number, lat: number}} place @returns {Point} */
function toPoint(place) {
  return [place.lng, place.lat];
}

/** @param {Rings} rings */
function describe(rings) {
  const [west, south, east, north] = boundsOf(wrapRings(rings));
  const vertices = rings.reduce((sum, ring) => sum + ring.length, 0);
  return `of ${vertices} vertices, ${formatArea(areaKm2(rings))}, from ${formatPoint(west, south)} to ${formatPoint(east, north)}`;
}

/** As the hub takes it. @param {Rings} rings @returns {import('./livecount.js').Area} */
function areaOf(rings) {
  return { shape: JSON.stringify(toGeoJson(rings)) };
}

/** @param {Event} event */
function stop(event) {
  event.stopPropagation();
  event.preventDefault();
}
