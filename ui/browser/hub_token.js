/** The hub token of the open page: pages are handed a new one in time, so that tokens can be short. */

const RENEWED = 'tripdeck:token';

/** The token that the open page was handed last; before the first one, what a component came with. @param {string|null} first */
export function newestToken(first) {
  return /** @type {any} */ (globalThis).__tripdeckToken ?? first;
}

/** Call once when the page is handed another token. @param {() => void} go @returns {() => void} takes it back */
export function onceRenewed(go) {
  window.addEventListener(RENEWED, go, { once: true });
  return () => window.removeEventListener(RENEWED, go);
}
