/** What every component does with the page. */

/** Make an element. @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node|string|null|false)} children @returns {any} */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) {
      node.addEventListener(name.slice(2), value);
    } else if (value !== false && value != null) {
      node.setAttribute(name, value === true ? '' : value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== false));
  return node;
}

/** Make an element of a drawing. @param {string} tag @param {Record<string, any>} [attributes] @param {...Node} children @returns {any} */
export function svgElement(tag, attributes = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

const ICONS = {
  box: 'M4 4h16v16H4z M1.8 1.8h4.4v4.4H1.8z M17.8 1.8h4.4v4.4h-4.4z M1.8 17.8h4.4v4.4H1.8z M17.8 17.8h4.4v4.4h-4.4z',
  shape: 'M5 8l8-4 6 8-4 8-9-3z M3 6h4v4H3z M11 2h4v4h-4z M17 10h4v4h-4z M13 18h4v4h-4z',
  clear: 'M5 5l14 14M19 5L5 19',
  data: 'M3 9V3h6M15 3h6v6M21 15v6h-6M9 21H3v-6',
  target: 'M12 5a7 7 0 1 0 0 14 7 7 0 0 0 0-14z M12 2v5M12 17v5M2 12h5M17 12h5',
  picture: 'M12 4v11M7 10.500l5 5 5-5M4 20h16',
  upload: 'M12 20V8M6 13l6-6 6 6M4 3h16',
};

/** Make a line icon. @param {keyof typeof ICONS} name @param {number} [size] pixels */
export function icon(name, size = 16) {
  const line = { fill: 'none', stroke: 'currentColor', 'stroke-width': 2, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' };
  const path = svgElement('path', { d: ICONS[name], ...line });
  return svgElement('svg', { viewBox: '0 0 24 24', width: size, height: size, 'aria-hidden': 'true' }, path);
}

/** Whether the person asked for less movement. */
export function prefersStill() {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Run a function at most once a frame. @param {() => void} paint */
export function oncePerFrame(paint) {
  let frame = 0;
  return () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      paint();
    });
  };
}
