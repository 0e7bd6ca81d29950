/** pydeck's JSON to deck.gl layers. */
import { JSONConfiguration, JSONConverter } from '@deck.gl/json';
import * as coreLayers from '@deck.gl/layers';
import { GeohashLayer, TripsLayer } from '@deck.gl/geo-layers';

// Aggregating layers are left out: counts come from the database, and they would add 160 kB.
const classes = { ...coreLayers, GeohashLayer, TripsLayer };
const configuration = new JSONConfiguration({ classes });

/**
 * Layers and first view of a deck. Only layers are made: views and map style are the flow map's own.
 * @param {string} text pydeck's Deck.to_json() @returns {{layers: any[], view: {longitude: number, latitude: number, zoom: number}}}
 */
export function readDeck(text) {
  const deck = JSON.parse(text);
  const converted = new JSONConverter({ configuration }).convert({ layers: deck.layers ?? [] });
  const { longitude = 0, latitude = 20, zoom = 1 } = deck.initialViewState ?? {};
  return { layers: converted.layers.filter(Boolean), view: { longitude, latitude, zoom } };
}
