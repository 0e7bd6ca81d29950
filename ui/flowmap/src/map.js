/** The flow map: base map, density, flows, box and tools, kept in step with the data that Python sends. */
import { MapLibreOverlay } from '@deck.gl/maplibre';
import * as maplibregl from 'maplibre-gl';
import { Protocol } from 'pmtiles';
import maplibreCss from 'maplibre-gl/dist/maplibre-gl.css';
import workerText from 'maplibre-gl/dist/maplibre-gl-worker.mjs?text';
import { AreaLabel } from './arealabel.js';
import { firstStyle, isArchive, makeArchiveStyle } from './archive.js';
import { ATTRIBUTION, makeStyle, recolour } from './basemap.js';
import { BoxEditor } from './box.js';
import { boxAround, unwrapBox, wrapBox } from './boxmath.js';
import { readDeck } from './decklayers.js';
import { showDensity } from './density.js';
import { element, prefersStill } from '../../browser/dom.js';
import { NO_FLOWS, chooseScale } from './flowdata.js';
import { makeFlowLayers, readPick } from './flows.js';
import { paintLegend } from './legend.js';
import { saveBlob, takePicture } from './picture.js';
import { DayPlayer } from './player.js';
import { formatPoint } from './scale.js';
import { ShapeEditor } from './shape.js';
import { boundsOf, wrapRings } from './shapemath.js';
import { makeShell } from './shell.js';
import ownCss from './style.css';
import { readPalette } from './theme.js';
import { describePick, showTooltip } from './tooltip.js';
import { ViewportReporter } from './viewport.js';

/**
 * @typedef {object} MapData what Python sends; texts are JSON, compared as texts, so an unchanged part costs nothing
 * @property {string} deck @property {string} flows @property {string|null} density @property {string|null} day flows of each hour, when it is played
 * @property {import('./boxmath.js').Box|null} box @property {import('./shapemath.js').Rings|null} shape the area is one of both, or neither
 * @property {number} box_seq number of the last message of the area that Python has seen
 * @property {import('./boxmath.js').Box|null} focus where to go; a change moves the map
 * @property {{longitude: number, latitude: number, zoom: number, bounds: import('./boxmath.js').Box}|null} viewport what Python knows of the view
 * @property {import('./flowdata.js').Selection} selected
 * @property {number|null} flow_scale @property {number|null} place_scale @property {string|null} message
 * @property {import('./livecount.js').HubQuestion|null} live what the label of the box asks the hub
 * @property {number} height @property {boolean} is_animated @property {string[]} reports @property {string|object|null} base_style
 */

const COMMIT_PAUSE_MS = 120; // keys repeat faster than Python answers
const FIT_PADDING_PX = 48;
const PICK_RADIUS_PX = 4;
let isPrepared = false;

export class FlowMap {
  /** @param {ShadowRoot|HTMLElement} parent @param {MapData} data @param {(name: string, value: object) => void} send */
  constructor(parent, data, send) {
    this.parent = parent;
    this.send = send;
    this.seq = 0;
    this.data = NO_FLOWS;
    this.whole = NO_FLOWS;
    this.scale = { flow: 1, place: 1 };
    this.commitTimer = 0;
    this.hoverFrame = 0;
    this.problem = ''; // why the operator's base map is not shown
    /** @type {Partial<MapData>} */
    this.last = {};
    this.shell = makeShell({
      draw: (event) => (/** @type {MouseEvent} */ (event).detail === 0 ? this.editor.drawInMiddle() : this.drawWith(this.editor, !this.editor.isDrawing)),
      drawShape: (event) => (/** @type {MouseEvent} */ (event).detail === 0 ? this.shaper.drawInMiddle() : this.drawWith(this.shaper, !this.shaper.draft)),
      clear: () => (this.shaper.rings ? this.shaper : this.editor).clear(),
      toBox: () => this.goTo(this.areaBounds()),
      toData: () => this.goTo(this.dataBounds()),
      picture: () => this.savePicture(),
    });
    parent.append(element('style', {}, maplibreCss, ownCss), this.shell.root);
    this.shell.root.style.height = `${data.height}px`;
    this.palette = readPalette(this.shell.root);
    this.player = new DayPlayer(this.shell.root, (hour) => this.showHour(hour));
    this.makeMap(data);
  }

  /** @param {MapData} data */
  makeMap(data) {
    if (!isPrepared) {
      maplibregl.setWorkerUrl(URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' })));
      maplibregl.addProtocol('pmtiles', new Protocol().tile); // for an operator's own base map: pmtiles://… in its style
      isPrepared = true;
    }
    const { layers, view } = readDeck(data.deck);
    this.deckLayers = layers;
    const camera = data.viewport ?? view;
    const isFitted = !data.viewport && data.focus;
    this.map = new maplibregl.Map({
      container: this.shell.host,
      style: firstStyle(data.base_style, this.palette),
      boxZoom: false, // Shift and drag draws the box
      dragRotate: false,
      pitchWithRotate: false,
      attributionControl: false,
      fadeDuration: prefersStill() ? 0 : 150,
      ...(isFitted
        ? { bounds: toBounds(data.focus), fitBoundsOptions: { padding: FIT_PADDING_PX } }
        : { center: [camera.longitude, camera.latitude], zoom: camera.zoom }),
    });
    this.map.touchZoomRotate.disableRotation();
    this.showArchive(data.base_style);
    this.map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
    this.map.addControl(new maplibregl.ScaleControl({ maxWidth: 110 }), 'bottom-right');
    this.map.addControl(new maplibregl.AttributionControl({ compact: true, customAttribution: data.base_style ? undefined : ATTRIBUTION }), 'bottom-right');
    this.overlay = new MapLibreOverlay({ interleaved: false, layers: [], pickingRadius: PICK_RADIUS_PX, onHover: (info) => this.onHover(info), onClick: (info) => this.onClick(info) });
    this.map.addControl(this.overlay);
    this.label = new AreaLabel(this.shell.host);
    this.editor = new BoxEditor({
      map: this.map,
      host: this.shell.host,
      label: this.label,
      onCommit: (box, how) => this.commitBox(box, how),
      announce: (text) => (this.shell.announcer.textContent = text),
      onMode: (isDrawing) => this.shell.draw.setAttribute('aria-pressed', String(isDrawing)),
      onTap: (event) => this.onClick(this.pickAt(event)),
    });
    this.shaper = new ShapeEditor({
      map: this.map,
      host: this.shell.host,
      label: this.label,
      onCommit: (rings, how) => this.commitShape(rings, how),
      announce: (text) => (this.shell.announcer.textContent = text),
      onMode: (isDrawing) => {
        this.shell.drawShape.setAttribute('aria-pressed', String(isDrawing));
        if (!isDrawing) {
          this.editor.set(this.editor.box); // its label was taken by what was drawn
        }
      },
      onTap: (event) => this.onClick(this.pickAt(event)),
    });
    // Box and shape lie above the flows and take the pointer: what is below them is looked up here
    for (const { node } of [this.editor, this.shaper]) {
      node.addEventListener('pointermove', (event) => {
        cancelAnimationFrame(this.hoverFrame);
        this.hoverFrame = requestAnimationFrame(() => this.onHover(this.pickAt(event)));
      });
      node.addEventListener('pointerleave', () => this.onHover({ index: -1 }));
    }
    this.reporter = new ViewportReporter(this.map, (viewport) => this.tell('viewport', viewport));
    this.reporter.assume(data.viewport);
    this.map.on('mousemove', (event) => this.showPosition(event.lngLat.wrap()));
    this.map.on('mouseout', () => this.showPosition(null));
    this.map.on('load', () => this.onLoad());
    this.map.on('error', (event) => this.say(`The map could not be drawn: ${event.error?.message ?? 'unknown reason'}`));
  }

  /** Draw an operator's PMTiles archive, in the palette's colours. @param {string|object|null} base */
  async showArchive(base) {
    if (!isArchive(base)) {
      return;
    }
    const style = await makeArchiveStyle(String(base), this.palette).catch((error) => {
      this.problem = `The base map ${base} could not be read: ${error.message}`;
      return makeStyle(this.palette);
    });
    this.map.once('style.load', () => this.showDensity());
    this.map.setStyle(style);
  }

  onLoad() {
    this.isLoaded = true;
    this.shell.root.querySelector('.maplibregl-ctrl-attrib')?.classList.remove('maplibregl-compact-show');
    this.showDensity();
    this.say(this.last.message ?? null);
    if (this.last.reports?.includes('viewport')) {
      this.reporter.schedule();
    }
    this.map.once('idle', () => (this.shell.root.dataset.ready = 'true'));
  }

  /** Take in what Python sent. @param {MapData} data */
  update(data) {
    const before = this.last;
    this.last = data;
    const palette = readPalette(this.shell.root);
    const isRecoloured = palette !== this.palette;
    this.palette = palette;
    this.shell.root.style.height = `${data.height}px`;
    if (isRecoloured && this.isLoaded && !data.base_style) {
      recolour(this.map, palette);
    } else if (isRecoloured && this.isLoaded) {
      this.showArchive(data.base_style);
    }
    this.label.configure(data.live);
    this.takeBox(data, before);
    if (data.deck !== before.deck && before.deck !== undefined) {
      this.deckLayers = readDeck(data.deck).layers;
    }
    if (data.flows !== before.flows) {
      this.whole = JSON.parse(data.flows);
      this.data = this.whole;
    }
    if (data.day !== before.day && (data.day || before.day)) {
      this.player.load(data.day ? JSON.parse(data.day) : []);
    } else if (data.day && data.flows !== before.flows) {
      this.player.step(this.player.index);
    }
    this.drawFlows();
    if (this.isLoaded && (data.density !== before.density || isRecoloured)) {
      this.showDensity();
    }
    if (before.focus !== undefined && data.focus && !sameBox(data.focus, before.focus)) {
      this.goTo(unwrapBox(data.focus));
    }
    if (this.isLoaded) {
      this.say(data.message);
    }
  }

  /** A box that Python set: from the URL, from number inputs. Answers to older messages of ours, one about to be sent included, are out of date. */
  takeBox(data, before) {
    const isStale = this.commitTimer !== 0 || (data.box_seq < this.seq && this.seq > 0);
    const isSame = before.deck !== undefined && sameArea(data, before) && data.box_seq === before.box_seq;
    if (isStale || isSame || this.editor.drag || this.shaper.drag || this.shaper.draft) {
      return;
    }
    this.showArea(data.box && unwrapBox(data.box), data.shape);
  }

  drawFlows() {
    this.scale = chooseScale(this.data, { flow: this.last.flow_scale ?? undefined, place: this.last.place_scale ?? undefined });
    const isAnimated = Boolean(this.last.is_animated) && !prefersStill();
    const layers = makeFlowLayers({ data: this.data, scale: this.scale, palette: this.palette, selection: this.last.selected ?? null, isAnimated });
    this.overlay.setProps({ layers: [...this.deckLayers, ...layers] });
    paintLegend(this.shell.legend, { scale: this.scale, palette: this.palette, shown: this.data.flows.trips.length });
    Object.assign(this.shell.root.dataset, {
      flows: this.data.flows.trips.length,
      flowScale: this.scale.flow,
      selected: Object.values(this.last.selected ?? {}).join(' '),
      theme: this.palette.isDark ? 'dark' : 'light',
    });
  }

  /** @param {import('./player.js').HourFlows|null} hour */
  showHour(hour) {
    this.data = hour?.content ?? this.whole;
    this.shell.root.dataset.hour = hour ? String(hour.hour) : '';
    this.drawFlows();
  }

  showDensity() {
    showDensity(this.map, this.last.density ? JSON.parse(this.last.density) : null, this.palette);
  }

  /** Draw with one tool, and no longer with the other. @param {BoxEditor|ShapeEditor} tool @param {boolean} isDrawing */
  drawWith(tool, isDrawing) {
    (tool === this.editor ? this.shaper : this.editor).setDrawing(false);
    tool.setDrawing(isDrawing);
  }

  /** Show a box, a shape, or neither, without reporting it. @param {import('./boxmath.js').Box|null} box @param {import('./shapemath.js').Rings|null} rings */
  showArea(box, rings) {
    // What goes hides the label, which what comes shows again
    const tools = rings ? [() => this.editor.set(null), () => this.shaper.set(rings)] : [() => this.shaper.set(null), () => this.editor.set(box)];
    tools.forEach((set) => set());
    this.showAreaState();
  }

  /** @param {import('./boxmath.js').Box|null} box @param {{isRepeated: boolean}} how */
  commitBox(box, how) {
    if (box && this.shaper.rings) {
      this.showArea(box, null);
    }
    this.commit(box && wrapBox(box), how);
  }

  /** @param {import('./shapemath.js').Rings|null} rings @param {{isRepeated: boolean}} how */
  commitShape(rings, how) {
    if (rings && this.editor.box) {
      this.showArea(null, rings);
    }
    this.commit(rings && { rings: wrapRings(rings) }, how);
  }

  /** @param {object|null} area @param {{isRepeated: boolean}} how */
  commit(area, { isRepeated }) {
    this.showAreaState();
    clearTimeout(this.commitTimer);
    this.commitTimer = 0;
    const commit = () => {
      this.commitTimer = 0;
      this.tell('bbox', area);
    };
    if (isRepeated) {
      this.commitTimer = window.setTimeout(commit, COMMIT_PAUSE_MS);
    } else {
      commit();
    }
  }

  showAreaState() {
    const { editor: { box }, shaper: { rings } } = this;
    this.shell.clear.disabled = !box && !rings;
    this.shell.toBox.disabled = !box && !rings;
    this.shell.root.dataset.box = box ? wrapBox(box).join(',') : '';
    this.shell.root.dataset.shape = rings ? JSON.stringify(wrapRings(rings)) : '';
  }

  areaBounds() {
    return this.shaper.rings ? boundsOf(this.shaper.rings) : this.editor.box;
  }

  /** Report a state to Python; the number tells a repeated value from an old one. @param {string} name @param {any} value */
  tell(name, value) {
    if (!this.last.reports?.includes(name)) {
      return;
    }
    const seq = Date.now();
    if (name === 'bbox') {
      this.seq = seq;
    }
    this.send(name, { v: value, seq });
  }

  /** @param {PointerEvent} event */
  pickAt(event) {
    const { left, top } = this.shell.host.getBoundingClientRect();
    const at = { x: event.clientX - left, y: event.clientY - top };
    return this.overlay.pickObject({ ...at, radius: PICK_RADIUS_PX }) ?? { ...at, index: -1 };
  }

  onHover(info) {
    const pick = this.editor.drag || this.editor.isDrawing || this.shaper.drag || this.shaper.isDrawing ? null : readPick(info, this.data);
    this.shell.host.classList.toggle('td-over', Boolean(pick));
    showTooltip(this.shell.tooltip, info, pick ? describePick(this.data, pick) : []);
  }

  onClick(info) {
    if (this.shaper.isDrawing) {
      return;
    }
    const pick = readPick(info, this.data);
    if (!pick && !this.last.selected) {
      return;
    }
    const { locations, flows } = this.data;
    if (!pick) {
      this.tell('picked', null);
    } else if (pick.kind === 'flow') {
      this.tell('picked', { origin: locations.id[flows.origin[pick.number]], destination: locations.id[flows.destination[pick.number]] });
    } else {
      this.tell('picked', { location: locations.id[pick.number] });
    }
  }

  dataBounds() {
    return boxAround(this.data.locations.longitude, this.data.locations.latitude) ?? (this.last.focus ? unwrapBox(this.last.focus) : null);
  }

  /** @param {import('./boxmath.js').Box|null} box */
  goTo(box) {
    if (box) {
      this.map.fitBounds(toBounds(box), { padding: FIT_PADDING_PX, maxZoom: 16, duration: prefersStill() ? 0 : 500 });
    }
  }

  async savePicture() {
    const { map, overlay, editor, shaper, scale, palette } = this;
    const isOwnStyle = Boolean(this.last.base_style);
    saveBlob(await takePicture({ map, overlay, boxNode: editor.node, box: editor.box, outline: shaper.path.getAttribute('d'), scale, palette, isOwnStyle }), 'tripdeck-map.png');
  }

  /** @param {{lng: number, lat: number}|null} place */
  showPosition(place) {
    this.shell.position.textContent = place ? `${formatPoint(place.lng, place.lat)} · WGS 84` : '';
  }

  /** @param {string|null} text */
  say(text) {
    this.shell.message.textContent = text ?? this.problem;
    this.shell.message.hidden = !this.shell.message.textContent;
  }

  destroy() {
    clearTimeout(this.commitTimer);
    cancelAnimationFrame(this.hoverFrame);
    this.reporter.stop();
    this.player.destroy();
    this.editor.destroy();
    this.shaper.destroy();
    this.label.stop();
    this.map.remove();
    this.parent.replaceChildren();
  }
}

/** @param {import('./boxmath.js').Box} box @returns {[[number, number], [number, number]]} */
function toBounds(box) {
  const [west, south, east, north] = unwrapBox(box);
  return [[west, south], [east, north]];
}

const sameArea = (a, b) => sameBox(a.box, b.box) && JSON.stringify(a.shape ?? null) === JSON.stringify(b.shape ?? null);
const sameBox = (a, b) => String(a ?? '') === String(b ?? '');
