/**
 * The shape of the city, drawn from where trips begin and end: one soft dot per grid cell, darker with more trips.
 *
 * @typedef {object} Density columns of one length, and the cell's width and height in degrees
 * @property {number[]} longitude @property {number[]} latitude @property {number[]} trips @property {[number, number]} cell
 */

const METRES_PER_DEGREE = 111_320;
const METRES_PER_PIXEL_AT_ZOOM_0 = 78_271.517; // Web Mercator with 512-pixel tiles, at the equator
const CELL_COVER = 1.05; // of a cell's width as the dot's radius: neighbours run into each other
const LEAST_RADIUS_PX = 0.9;
const MOST_ZOOM = 24;

/** Show, replace or take away the dots. @param {any} map @param {Density|null} density @param {import('./theme.js').Palette} palette */
export function showDensity(map, density, { isDark, density: color }) {
  if (!map.getSource('density')) {
    // An operator's own style: the dots go on top of it
    map.addSource('density', { type: 'geojson', data: toPoints(null) });
    map.addLayer({ id: 'density', type: 'circle', source: 'density', paint: { 'circle-color': color } });
  }
  map.getSource('density').setData(toPoints(density));
  if (density && density.trips.length > 0) {
    map.setPaintProperty('density', 'circle-radius', radiusByZoom(density));
    map.setPaintProperty('density', 'circle-opacity', ['interpolate', ['linear'], ['get', 'weight'], 0, 0.06, 1, isDark ? 0.55 : 0.5]);
    map.setPaintProperty('density', 'circle-blur', 1);
  }
}

/** @param {Density|null} density */
export function toPoints(density) {
  if (!density) {
    return { type: 'FeatureCollection', features: [] };
  }
  const { longitude, latitude, trips } = density;
  const most = Math.log1p(trips.reduce((high, value) => Math.max(high, value), 1));
  return {
    type: 'FeatureCollection',
    features: trips.map((count, i) => ({
      type: 'Feature',
      properties: { weight: Number((Math.log1p(count) / most).toFixed(3)) },
      geometry: { type: 'Point', coordinates: [longitude[i], latitude[i]] },
    })),
  };
}

/** A dot as wide as its cell on the ground, but never too small to see. @param {Density} density */
export function radiusByZoom({ latitude, cell }) {
  const middle = latitude[Math.floor(latitude.length / 2)];
  const squeeze = Math.max(0.05, Math.cos((middle * Math.PI) / 180));
  const cellM = Math.sqrt(cell[0] * squeeze * cell[1]) * METRES_PER_DEGREE;
  const radiusAtZoom0 = (cellM * CELL_COVER) / (METRES_PER_PIXEL_AT_ZOOM_0 * squeeze);
  const growsFrom = Math.min(MOST_ZOOM - 1, Math.max(0.01, Math.log2(LEAST_RADIUS_PX / radiusAtZoom0)));
  return [
    'interpolate', ['exponential', 2], ['zoom'],
    growsFrom, Math.max(LEAST_RADIUS_PX, radiusAtZoom0 * 2 ** growsFrom),
    MOST_ZOOM, radiusAtZoom0 * 2 ** MOST_ZOOM,
  ];
}
