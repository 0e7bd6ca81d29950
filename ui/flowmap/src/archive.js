/** An operator's own base map: a style by its URL, or a PMTiles archive, which gets a style by the names of its layers. */
import { PMTiles } from 'pmtiles';
import { makeStyle } from './basemap.js';

const IS_AREA = ['==', ['geometry-type'], 'Polygon'];
const FONT = ['sans-serif'];

const ARCHIVE = /\.pmtiles($|[?#])/i;
const RASTER = new Set([2, 3, 4, 5]); // PNG, JPEG, WebP and AVIF in the archive's header
// What a layer shows, by its name in the schemas in use (OpenMapTiles, Protomaps, Shortbread); the first that fits. Lowest first.
const KINDS = [
  ['land', /^(earth|land)$/],
  ['areas', /^(land|park|site)/],
  ['water', /water(?!way)|ocean|lake/],
  ['lines', /waterway|water_lines|river/],
  ['buildings', /building/],
  ['lines', /bound|admin/],
  ['roads', /road|transport|street|highway|rail|path/],
  ['names', /place|label|name|poi/],
];

/**
 * What the map starts with: an archive's style comes later. @param {string|object|null|undefined} base
 * @param {import('./theme.js').Palette} palette
 */
export function firstStyle(base, palette) {
  return isArchive(base) ? undefined : (base ?? makeStyle(palette));
}

/** Whether the browser shall draw a PMTiles archive. @param {string|object|null} base */
export function isArchive(base) {
  return typeof base === 'string' && ARCHIVE.test(base);
}

/** maplibre style of an archive. @param {string} address @param {import('./theme.js').Palette} palette @returns {Promise<any>} */
export async function makeArchiveStyle(address, palette) {
  const url = new URL(address.replace(/^pmtiles:\/\//, ''), document.baseURI).href;
  const archive = new PMTiles(url);
  const [header, metadata] = await Promise.all([archive.getHeader(), archive.getMetadata()]);
  const isRaster = RASTER.has(header.tileType);
  const layers = isRaster ? [{ id: 'tiles', type: 'raster', source: 'archive' }] : makeLayers(metadata, palette);
  return {
    version: 8,
    sources: { archive: { type: isRaster ? 'raster' : 'vector', url: `pmtiles://${url}`, ...(isRaster ? { tileSize: 256 } : {}) } },
    layers: [{ id: 'ground', type: 'background', paint: { 'background-color': palette.land } }, ...layers],
  };
}

/** One layer for each layer of the tiles, areas below lines below names. @param {any} metadata @param {import('./theme.js').Palette} palette */
export function makeLayers(metadata, palette) {
  const found = (metadata?.vector_layers ?? []).map(({ id }) => [id, rankOf(id)]);
  found.sort((one, other) => one[1] - other[1]);
  return found.map(([id, rank]) => ({ id: `archive-${id}`, source: 'archive', 'source-layer': id, ...describe(KINDS[rank]?.[0], palette) }));
}

/** @param {string} id */
function rankOf(id) {
  const rank = KINDS.findIndex(([, names]) => names.test(id));
  return rank < 0 ? KINDS.length : rank;
}

function describe(kind, palette) {
  switch (kind) {
    case 'land':
      return { type: 'fill', filter: IS_AREA, paint: { 'fill-color': palette.land } };
    case 'areas':
      return { type: 'fill', filter: IS_AREA, paint: { 'fill-color': palette.coast, 'fill-opacity': 0.15 } };
    case 'water':
      return { type: 'fill', filter: IS_AREA, paint: { 'fill-color': palette.water } };
    case 'buildings':
      return { type: 'fill', minzoom: 13, paint: { 'fill-color': palette.border, 'fill-opacity': 0.4 } };
    case 'roads':
      return { type: 'line', paint: { 'line-color': palette.border, 'line-width': ['interpolate', ['exponential', 1.6], ['zoom'], 8, 0.4, 14, 1.6, 18, 9] } };
    case 'names':
      return {
        type: 'symbol',
        layout: { 'text-field': ['coalesce', ['get', 'name'], ''], 'text-font': FONT, 'text-size': 12, 'text-max-width': 8 },
        paint: { 'text-color': palette.label, 'text-halo-color': palette.halo, 'text-halo-width': 1.4 },
      };
    case 'lines':
      return { type: 'line', paint: { 'line-color': palette.coast, 'line-width': 1 } };
    default:
      return { type: 'line', paint: { 'line-color': palette.border, 'line-width': 0.6 } };
  }
}
