/**
 * Counts the trips of an area while it moves: the hub's /weekly-average, free of the DOM.
 *
 *     const count = new LiveCount((answer) => label.show(answer));
 *     count.configure({ url: 'http://127.0.0.1:8600', token: null, filters: { region: 'Turin' } });
 *     count.follow({ bbox: '7.5,45,7.7,45.1' });  // while it moves
 *     count.settle({ bbox: '7.5,45,7.8,45.1' });  // where it has come to rest
 *
 * One request runs at a time. While one runs only the newest area waits; its request begins when the running one is answered,
 * at the latest PATIENCE_MS after that began, which is then aborted. So the newest area always wins, and a hub that takes 100 ms
 * still answers ten times a second under a pointer that never rests.
 *
 * @typedef {{url: string, token: string|null, filters: Record<string, string>}} HubQuestion filters: parameters of the endpoint
 * @typedef {Record<string, string>} Area parameters of the endpoint that say where; shape: GeoJSON, for the body of a POST
 * @typedef {{state: 'counted', trips: number, average: number|null}|{state: 'refused'}|{state: 'away'}} Count
 */
import { newestToken } from '../../browser/hub_token.js';

const PATIENCE_MS = 150;
const TIMEOUT_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 4000];

export class LiveCount {
  /** @param {(count: Count, area: Area) => void} onCount */
  constructor(onCount) {
    this.onCount = onCount;
    /** @type {HubQuestion|null} */
    this.question = null;
    /** @type {{key: string, area: Area, controller: AbortController, isDue: boolean}|null} the newest request; due: answered, or late enough to be aborted for another */
    this.request = null;
    /** @type {Area|null} */
    this.waiting = null;
    this.failures = 0;
    this.timer = 0;
  }

  /** Count under other filters from now on; null: count nothing. @param {HubQuestion|null} question */
  configure(question) {
    const isSame = JSON.stringify([question?.url, question?.filters]) === JSON.stringify([this.question?.url, this.question?.filters]);
    this.question = question;
    const area = this.waiting ?? this.request?.area;
    if (!isSame && area) {
      this.stop();
      this.settle(area);
    }
  }

  /** Count an area that moves. @param {Area} area */
  follow(area) {
    if (this.isAsked(area)) {
      this.waiting = null;
    } else if (this.request && !this.request.isDue) {
      this.waiting = area;
    } else {
      this.send(area);
    }
  }

  /** Count an area that has come to rest: no older one is waited for. @param {Area} area */
  settle(area) {
    if (!this.isAsked(area)) {
      this.send(area);
    }
  }

  /** Break off what runs, and count the next area whatever it is. */
  stop() {
    clearTimeout(this.timer);
    this.request?.controller.abort();
    this.request = null;
    this.waiting = null;
    this.failures = 0;
  }

  /** @param {Area} area */
  isAsked(area) {
    return this.request?.key === JSON.stringify(area);
  }

  /** @param {Area} area */
  send(area) {
    clearTimeout(this.timer);
    this.request?.controller.abort();
    this.waiting = null;
    if (!this.question) {
      this.request = null;
      return;
    }
    const request = { key: JSON.stringify(area), area, controller: new AbortController(), isDue: false };
    this.request = request;
    this.timer = setTimeout(() => this.proceed(), PATIENCE_MS);
    fetchCount(this.question, area, request.controller.signal).then((count) => this.request === request && this.take(count));
  }

  /** Another area may be counted, and is if one waits. */
  proceed() {
    this.request.isDue = true;
    if (this.waiting) {
      this.send(this.waiting);
    }
  }

  /** @param {Count} count */
  take(count) {
    const { area } = this.request;
    clearTimeout(this.timer);
    this.onCount(count, area);
    this.failures = count.state === 'away' ? this.failures + 1 : 0;
    if (this.failures > 0 && !this.waiting) {
      this.timer = setTimeout(() => this.send(area), RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1]);
    }
    this.proceed();
  }
}

/** @param {HubQuestion} question @param {Area} area @param {AbortSignal} signal @returns {Promise<Count>} */
async function fetchCount({ url, token: first, filters }, area, signal) {
  const token = newestToken(first);
  const { shape, ...where } = area;
  const address = `${url}/api/v1/weekly-average?${new URLSearchParams({ ...filters, ...where })}`;
  const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(shape && { 'Content-Type': 'application/json' }) };
  const body = shape ? { method: 'POST', body: `{"shape":${shape}}` } : {};
  try {
    const response = await fetch(address, { ...body, headers, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
    if (response.ok) {
      const { trips, weekly_average: average } = await response.json();
      return { state: 'counted', trips, average };
    }
    const isPassing = response.status === 401 || response.status === 429 || response.status >= 500;
    return { state: isPassing ? 'away' : 'refused' };
  } catch {
    return { state: 'away' };
  }
}
