/** The component's own elements around the map. */
import { element, icon } from '../../browser/dom.js';

/** @param {Record<'draw'|'drawShape'|'clear'|'toBox'|'toData'|'picture', (event: Event) => void>} actions */
export function makeShell(actions) {
  const host = element('div', { class: 'td-host', role: 'region', 'aria-label': 'Map of flows' });
  const draw = makeButton({ symbol: 'box', label: 'Draw box', hint: 'Draw a box: press and drag on the map (or Shift and drag)', onclick: actions.draw, text: true });
  const drawShape = makeButton({ symbol: 'shape', label: 'Draw shape', hint: 'Draw a shape: click its points; Enter or a double click closes it', onclick: actions.drawShape });
  draw.setAttribute('aria-pressed', 'false');
  drawShape.setAttribute('aria-pressed', 'false');
  const clear = makeButton({ symbol: 'clear', label: 'Clear area', hint: 'Clear the box or shape (Delete)', onclick: actions.clear });
  const toBox = makeButton({ symbol: 'target', label: 'Zoom to area', hint: 'Zoom to the box or shape', onclick: actions.toBox });
  const toData = makeButton({ symbol: 'data', label: 'Zoom to data', hint: 'Show all flows', onclick: actions.toData });
  const picture = makeButton({ symbol: 'picture', label: 'Save picture', hint: 'Save the map as a PNG picture', onclick: actions.picture });
  const legend = element('div', { class: 'td-legend', hidden: true, role: 'note', 'aria-label': 'Legend' });
  const tooltip = element('div', { class: 'td-tip', hidden: true, role: 'tooltip' });
  const message = element('div', { class: 'td-message', role: 'status' }, 'Loading the map …');
  const position = element('div', { class: 'td-position', 'aria-hidden': 'true' });
  const announcer = element('div', { class: 'td-silent', role: 'status', 'aria-live': 'polite' });
  const toolbar = element('div', { class: 'td-toolbar', role: 'toolbar', 'aria-label': 'Map tools' }, draw, drawShape, clear, toBox, toData, picture);
  const root = element('div', { class: 'td-root' }, host, toolbar, legend, position, tooltip, message, announcer);
  return { root, host, draw, drawShape, clear, toBox, toData, picture, legend, tooltip, message, position, announcer };
}

function makeButton({ symbol, label, hint, onclick, text = false }) {
  return element('button', { type: 'button', class: 'td-button', title: hint, 'aria-label': label, onclick }, icon(symbol), ...(text ? [label] : []));
}
