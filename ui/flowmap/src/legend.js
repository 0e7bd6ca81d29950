/** The legend: how wide a flow of so many trips is, and what the circles say. */
import { element } from '../../browser/dom.js';
import { LINE_UNIT_PX, flowShade, flowThickness, formatCount, legendSteps, mixColor } from './scale.js';

/** @param {HTMLElement} node @param {{scale: import('./flowdata.js').Scale, palette: import('./theme.js').Palette, shown: number}} view */
export function paintLegend(node, { scale, palette, shown }) {
  node.hidden = shown === 0;
  node.replaceChildren(
    element('div', { class: 'td-legend-title' }, 'Trips per flow'),
    ...legendRows(scale.flow, palette).map(({ label, height, color }) =>
      element(
        'div',
        { class: 'td-legend-row' },
        element('span', { class: 'td-legend-line', style: `height:${height}px;background:${color}` }),
        element('span', {}, label),
      ),
    ),
    element('div', { class: 'td-legend-title' }, 'Places'),
    placeRow('td-legend-in', 'more trips arrive'),
    placeRow('td-legend-out', 'more trips leave'),
  );
  node.style.setProperty('--td-circle', css(palette.circle));
  node.style.setProperty('--td-circle-empty', css(palette.circleEmpty));
}

/** Rows of the width legend. @param {number} most @param {import('./theme.js').Palette} palette */
export function legendRows(most, palette) {
  return legendSteps(most).map((trips, i) => ({
    label: i === 0 ? `${formatCount(trips)} or more` : formatCount(trips),
    height: Math.max(1, Math.round(flowThickness(trips, most) * LINE_UNIT_PX)),
    color: css(mixColor(palette.flows, flowShade(trips, most))),
  }));
}

function placeRow(className, label) {
  return element('div', { class: 'td-legend-row' }, element('span', { class: `td-legend-circle ${className}` }), element('span', {}, label));
}

/** @param {number[]} color */
export function css([red, green, blue, alpha = 255]) {
  return `rgba(${red},${green},${blue},${(alpha / 255).toFixed(2)})`;
}
