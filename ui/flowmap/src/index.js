/** Streamlit's way in: one flow map per mounted element, updated when Python sends other data or the theme changes. */
import { FlowMap } from './map.js';

/** @type {WeakMap<object, FlowMap>} */
const maps = new WeakMap();

/** @param {{data: import('./map.js').MapData, parentElement: HTMLElement, setStateValue: (name: string, value: object) => void}} component */
export default function flowmap({ data, parentElement, setStateValue }) {
  let map = maps.get(parentElement);
  if (!map) {
    map = new FlowMap(parentElement, data, setStateValue);
    maps.set(parentElement, map);
  }
  map.send = setStateValue;
  map.update(data);
  return () => {
    maps.get(parentElement)?.destroy();
    maps.delete(parentElement);
  };
}
