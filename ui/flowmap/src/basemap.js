/** The offline base map: land, coast, borders and place names, from Natural Earth and GeoNames, drawn with system fonts. */
import countries from 'tripdeck:countries';
import { feature, mesh } from 'topojson-client';
import columns from 'tripdeck:places';

export const ATTRIBUTION = 'Natural Earth · GeoNames';
const FONT = ['sans-serif']; // maplibre draws names of system fonts by itself when the style has no glyphs
// Thousands of people a place needs to be named, by zoom. Without it the collision test alone decides and villages crowd in.
const LEAST_PEOPLE = ['step', ['zoom'], 5000, 3, 2000, 4, 800, 5, 400, 6, 150, 7, 60, 8, 30, 9, 0];

/** @type {[name: string, longitude: number, latitude: number, people: number][]} people in thousands, largest place first */
const places = columns.names
  .split('\n')
  .map((name, i) => [name, columns.longitudes[i] / 1000, columns.latitudes[i] / 1000, columns.people[i]]);

/** maplibre style. @param {import('./theme.js').Palette} palette @returns {any} */
export function makeStyle(palette) {
  return {
    version: 8,
    sources: {
      land: { type: 'geojson', data: landShapes() },
      borders: { type: 'geojson', data: borderLines() },
      places: { type: 'geojson', data: placePoints() },
      density: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } },
    },
    layers: [
      { id: 'water', type: 'background', paint: { 'background-color': palette.water } },
      { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': palette.land, 'fill-outline-color': palette.coast } },
      { id: 'borders', type: 'line', source: 'borders', paint: { 'line-color': palette.border, 'line-width': 1 } },
      { id: 'density', type: 'circle', source: 'density', paint: { 'circle-color': palette.density } },
      nameLayer(palette),
    ],
  };
}

/** @param {import('./theme.js').Palette} palette */
function nameLayer(palette) {
  return {
    id: 'names',
    type: 'symbol',
    source: 'places',
    filter: ['>=', ['get', 'people'], LEAST_PEOPLE],
    layout: {
      'text-field': ['get', 'name'],
      'text-font': FONT,
      'text-size': ['interpolate', ['linear'], ['zoom'], 3, 11, 10, ['step', ['get', 'people'], 11, 100, 13, 500, 15], 14, 15],
      'text-max-width': 8,
      'text-padding': 6,
      'symbol-sort-key': ['-', 0, ['get', 'people']],
    },
    paint: { 'text-color': palette.label, 'text-halo-color': palette.halo, 'text-halo-width': 1.4 },
  };
}

/** Recolour a map that already shows makeStyle's layers. @param {any} map @param {import('./theme.js').Palette} palette */
export function recolour(map, palette) {
  map.setPaintProperty('water', 'background-color', palette.water);
  map.setPaintProperty('land', 'fill-color', palette.land);
  map.setPaintProperty('land', 'fill-outline-color', palette.coast);
  map.setPaintProperty('borders', 'line-color', palette.border);
  map.setPaintProperty('density', 'circle-color', palette.density);
  map.setPaintProperty('names', 'text-color', palette.label);
  map.setPaintProperty('names', 'text-halo-color', palette.halo);
}

function landShapes() {
  return feature(countries, countries.objects.land);
}

function borderLines() {
  return mesh(countries, countries.objects.countries, (a, b) => a !== b);
}

function placePoints() {
  return {
    type: 'FeatureCollection',
    features: places.map(([name, longitude, latitude, people]) => ({
      type: 'Feature',
      properties: { name, people },
      geometry: { type: 'Point', coordinates: [longitude, latitude] },
    })),
  };
}
