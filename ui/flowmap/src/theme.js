/**
 * Colours of the map for the page's light or dark theme, read from Streamlit's theme variables.
 *
 * Flows run from pale to deep teal (dark theme: from deep to bright), one hue with rising lightness contrast; what is
 * selected, box or flow, is vermilion. Teal and vermilion stay apart in every common kind of colour blindness.
 *
 * @typedef {object} Palette
 * @property {boolean} isDark
 * @property {string} water @property {string} land @property {string} border @property {string} coast
 * @property {string} label @property {string} halo @property {string} density
 * @property {number[][]} flows stops from few trips to many, red green blue alpha
 * @property {number[]} outline @property {number[]} circle @property {number[]} circleEmpty @property {number[]} selected
 */

/** @type {Palette} */
const LIGHT = {
  isDark: false,
  water: '#d6e1e8',
  land: '#f6f5f1',
  border: '#c3bdb3',
  coast: '#a9b7c0',
  label: '#57534e',
  halo: 'rgba(250,249,246,0.9)',
  density: '#6b7f8c',
  flows: [[143, 195, 201, 70], [74, 158, 172, 160], [18, 103, 125, 220], [4, 60, 82, 240]],
  outline: [255, 255, 255, 200],
  circle: [16, 78, 98, 255],
  circleEmpty: [255, 255, 255, 255],
  selected: [199, 74, 11, 255],
};

/** @type {Palette} */
const DARK = {
  isDark: true,
  water: '#0b1016',
  land: '#171d25',
  border: '#3a4452',
  coast: '#2d3846',
  label: '#a5afbd',
  halo: 'rgba(16,21,28,0.9)',
  density: '#7d98ad',
  flows: [[38, 98, 110, 80], [35, 138, 146, 165], [88, 200, 188, 225], [216, 250, 236, 245]],
  outline: [9, 13, 18, 200],
  circle: [126, 222, 205, 255],
  circleEmpty: [18, 24, 31, 255],
  selected: [255, 146, 79, 255],
};

/** Palette for the theme an element stands in. @param {Element} host @returns {Palette} */
export function readPalette(host) {
  const background = getComputedStyle(host).getPropertyValue('--st-background-color').trim();
  return luminance(background) < 0.35 ? DARK : LIGHT;
}

/** Relative luminance of a CSS colour; 1 when it says nothing. @param {string} color */
function luminance(color) {
  const probe = document.createElement('canvas').getContext('2d');
  if (!probe || !color) {
    return 1;
  }
  probe.fillStyle = '#ffffff';
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255;
}
