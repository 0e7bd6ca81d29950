/** What outlives a reload of the page: unfinished uploads by file, and loads that are being followed. */

const UPLOAD_PREFIX = 'tripdeck:upload:';
const LOADS_KEY = 'tripdeck:followed-loads';

/** @typedef {{upload_id: string, file_name: string, bytes: number, sent: number}} Unfinished */

/** @param {string} print the file's fingerprint @param {Unfinished} upload */
export function rememberUpload(print, upload) {
  write(UPLOAD_PREFIX + print, upload);
}

/** @param {string} print @returns {Unfinished|null} */
export function recallUpload(print) {
  return read(UPLOAD_PREFIX + print);
}

/** @param {string} print */
export function forgetUpload(print) {
  remove(UPLOAD_PREFIX + print);
}

/** @returns {[string, Unfinished][]} fingerprint and upload */
export function listUnfinished() {
  try {
    const keys = Object.keys(window.localStorage).filter((key) => key.startsWith(UPLOAD_PREFIX));
    return keys.map((key) => [key.slice(UPLOAD_PREFIX.length), read(key)]).filter(([, upload]) => upload);
  } catch {
    return [];
  }
}

/** @param {{load_id: number, file_name: string, bytes: number}} load */
export function rememberLoad(load) {
  write(LOADS_KEY, [...recallLoads().filter((other) => other.load_id !== load.load_id), load]);
}

/** @returns {{load_id: number, file_name: string, bytes: number}[]} */
export function recallLoads() {
  return read(LOADS_KEY) ?? [];
}

/** @param {number} loadId */
export function forgetLoad(loadId) {
  write(LOADS_KEY, recallLoads().filter((load) => load.load_id !== loadId));
}

// Without storage (a private window, a full disk) everything works but the memory.
function write(key, value) {
  try {
    window.localStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* nothing to remember with */
  }
}

function read(key) {
  try {
    return JSON.parse(window.localStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

function remove(key) {
  try {
    window.localStorage.removeItem(key);
  } catch {
    /* nothing to remember with */
  }
}
