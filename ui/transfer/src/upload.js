/**
 * Put a file's missing parts into the object store, straight from the browser, several at a time, with patience.
 */
import { HubError } from './api.js';
import { backoffMs, missingParts, partRange } from './parts.js';

const PARALLEL_PARTS = 3; // a browser opens six connections to a host, and two files go at once
const SIGNED_AHEAD = 8;
const MOST_ATTEMPTS = 10; // two to three minutes of an object store that is away
const STALL_MS = 30_000;

export class CancelledError extends Error {}

export class PartUploader {
  /**
   * @param {object} parts
   * @param {import('./api.js').HubApi} parts.api @param {Blob} parts.file @param {any} parts.upload the hub's upload
   * @param {(bytes: number) => void} parts.onProgress bytes that are in the store or on their way
   * @param {(problem: string|null) => void} parts.onProblem why it waits; null when it goes on
   */
  constructor({ api, file, upload, onProgress, onProblem }) {
    Object.assign(this, { api, file, upload, onProgress, onProblem });
    this.isCancelled = false;
    /** @type {Set<XMLHttpRequest>} */
    this.requests = new Set();
    /** @type {Map<number, number>} bytes sent by part */
    this.sent = new Map();
    /** @type {Map<number, string>} */
    this.urls = new Map();
  }

  /** Raises: HubError, CancelledError. */
  async run() {
    this.todo = missingParts(this.upload);
    const missing = new Set(this.todo);
    const { bytes, part_bytes: partBytes } = this.upload;
    for (let number = 1; number <= Math.ceil(bytes / partBytes); number += 1) {
      if (!missing.has(number)) {
        const [from, to] = partRange(number, partBytes, bytes);
        this.sent.set(number, to - from);
      }
    }
    this.reportProgress();
    await Promise.all(Array.from({ length: PARALLEL_PARTS }, () => this.work()));
  }

  cancel() {
    this.isCancelled = true;
    this.requests.forEach((request) => request.abort());
  }

  async work() {
    for (let number = this.todo.shift(); number !== undefined && !this.isCancelled; number = this.todo.shift()) {
      await this.putWithPatience(number);
    }
  }

  /** @param {number} number */
  async putWithPatience(number) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.put(number, await this.urlOf(number));
        this.onProblem(null);
        return;
      } catch (error) {
        this.sent.delete(number);
        this.urls.delete(number); // it may have expired
        this.stopUnless(error, attempt);
        const pause = backoffMs(attempt);
        this.onProblem(`${error.message} Trying again in ${Math.ceil(pause / 1000)} s.`);
        await sleep(pause);
        this.checkCancelled();
      }
    }
  }

  stopUnless(error, attempt) {
    this.checkCancelled();
    if (!(error instanceof HubError) || !error.isPassing || attempt + 1 >= MOST_ATTEMPTS) {
      this.cancel(); // the other parts have no use any more
      throw error;
    }
  }

  checkCancelled() {
    if (this.isCancelled) {
      throw new CancelledError('cancelled');
    }
  }

  /** @param {number} number */
  async urlOf(number) {
    if (!this.urls.has(number)) {
      const ahead = [number, ...this.todo.slice(0, SIGNED_AHEAD)].filter((other) => !this.urls.has(other));
      (await this.api.signParts(this.upload.upload_id, ahead)).forEach((url, other) => this.urls.set(other, url));
    }
    return /** @type {string} */ (this.urls.get(number));
  }

  /** @param {number} number @param {string} url @returns {Promise<void>} */
  put(number, url) {
    const [from, to] = partRange(number, this.upload.part_bytes, this.upload.bytes);
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(); // fetch reports no upload progress
      let stall = 0;
      const watch = () => {
        clearTimeout(stall);
        stall = window.setTimeout(() => request.abort(), STALL_MS);
      };
      const end = (settle) => {
        clearTimeout(stall);
        this.requests.delete(request);
        settle();
      };
      request.open('PUT', url);
      request.upload.onprogress = (event) => {
        watch();
        this.sent.set(number, Math.min(event.loaded, to - from));
        this.reportProgress();
      };
      request.onload = () => end(() => (request.status < 300 ? this.keep(number, to - from, resolve) : reject(storeError(request.status))));
      request.onerror = request.onabort = () => end(() => reject(storeError(0)));
      this.requests.add(request);
      watch();
      request.send(this.file.slice(from, to));
    });
  }

  keep(number, bytes, resolve) {
    this.sent.set(number, bytes);
    this.reportProgress();
    resolve();
  }

  reportProgress() {
    this.onProgress([...this.sent.values()].reduce((sum, bytes) => sum + bytes, 0));
  }
}

/** @param {number} status */
function storeError(status) {
  if (status === 404) {
    return new HubError('The unfinished upload is gone from the object store.', { status: 404, code: 'upload_gone' });
  }
  // 403: the signed URL has expired; a new one is asked for
  const passing = status === 403 ? 503 : status;
  const message = status === 0 ? 'The object store does not answer.' : `The object store answered with status ${status}.`;
  return new HubError(message, { status: passing, code: 'store_unavailable' });
}

/** Wait; shorter when the network comes back. @param {number} ms @returns {Promise<void>} */
export function sleep(ms) {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
  });
}
