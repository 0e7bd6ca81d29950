/** What the pointer is over, in words. */
import { distanceKm } from './boxmath.js';
import { element } from '../../browser/dom.js';
import { placeTotals } from './flowdata.js';
import { formatCount, formatDistance } from './scale.js';

const GAP_PX = 14;

/** @param {HTMLElement} node @param {{x: number, y: number}} at @param {Node[]} content nothing hides it */
export function showTooltip(node, at, content) {
  node.hidden = content.length === 0;
  if (node.hidden) {
    return;
  }
  node.replaceChildren(...content);
  const { clientWidth, clientHeight } = /** @type {HTMLElement} */ (node.parentElement);
  const left = at.x + GAP_PX + node.offsetWidth > clientWidth ? at.x - GAP_PX - node.offsetWidth : at.x + GAP_PX;
  const top = Math.min(at.y + GAP_PX, clientHeight - node.offsetHeight - 4);
  node.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
}

/** @param {import('./flowdata.js').FlowData} data @param {{kind: string, number: number}} pick @returns {Node[]} */
export function describePick(data, pick) {
  return pick.kind === 'flow' ? describeFlow(data, pick.number) : describeLocation(data, pick.number);
}

function describeFlow({ locations, flows }, i) {
  const [origin, destination] = [flows.origin[i], flows.destination[i]];
  const back = flows.trips.find((_, other) => flows.origin[other] === destination && flows.destination[other] === origin);
  const km = distanceKm(pointOf(locations, origin), pointOf(locations, destination));
  const rows = [
    element('div', { class: 'td-tip-title' }, `${nameOf(locations, origin)} → ${nameOf(locations, destination)}`),
    element('div', {}, element('b', {}, formatCount(flows.trips[i])), ` trips, ${formatDistance(km)} as the crow flies`),
  ];
  if (back !== undefined) {
    rows.push(element('div', {}, `${formatCount(back)} trips the other way`));
  }
  return rows;
}

function describeLocation({ locations }, i) {
  const [into, out] = placeTotals(locations, i);
  return [
    element('div', { class: 'td-tip-title' }, nameOf(locations, i)),
    element('div', {}, element('b', {}, formatCount(out)), ' trips begin here'),
    element('div', {}, element('b', {}, formatCount(into)), ' trips end here'),
    element('div', {}, `${formatCount(locations.internal_trips[i])} of them stay within`),
  ];
}

function pointOf(locations, i) {
  return [locations.longitude[i], locations.latitude[i]];
}

function nameOf(locations, i) {
  return `${locations.name[i]} (${locations.id[i]})`;
}
