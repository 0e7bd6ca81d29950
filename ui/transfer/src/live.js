/**
 * The hub's feed in the browser: replay from the last position seen, then live; comes back by itself.
 *
 *     const live = new Live({ url: 'ws://127.0.0.1:8600', path: '/ws/loads', getToken, onEvent, onStatus });
 *     live.start();  …  live.stop();
 *
 * Every event is a full snapshot of its load, so nothing has to be added up and a conflated one loses nothing.
 */
import { onceRenewed } from '../../browser/hub_token.js';
import { backoffMs } from './parts.js';

const PROTOCOL = 'tripdeck.v1';
/** Close codes after which another try gives the same. @type {Record<number, string>} */
const FINAL_CODES = { 4400: 'refused', 4404: 'missing' };

const EXPIRED = 4401;

/** @typedef {'connecting'|'live'|'reconnecting'|'refused'|'missing'} LiveStatus */

export class Live {
  /**
   * @param {object} parts
   * @param {string} parts.url the hub, http or ws @param {string} parts.path @param {() => string|null} parts.getToken
   * @param {(event: any, isNews: boolean) => void} parts.onEvent isNews: happened while we were listening or away, not before
   * @param {(status: LiveStatus) => void} parts.onStatus
   * @param {(url: string, protocols: string[]) => WebSocket} [parts.connect]
   */
  constructor({ url, path, getToken, onEvent, onStatus, connect = (at, protocols) => new WebSocket(at, protocols) }) {
    Object.assign(this, { path, getToken, onEvent, onStatus, connect });
    this.url = url.replace(/\/$/, '').replace(/^http/, 'ws');
    /** @type {number|null} position of the newest event seen */
    this.position = null;
    this.attempt = 0;
    this.timer = 0;
    this.isStopped = false;
  }

  start() {
    this.onStatus(this.attempt === 0 ? 'connecting' : 'reconnecting');
    const token = this.getToken();
    this.token = token;
    const last = this.position === null ? '' : `?last=${this.position}`;
    this.socket = this.connect(`${this.url}${this.path}${last}`, token ? [PROTOCOL, token] : [PROTOCOL]);
    this.socket.onopen = () => this.onStatus('live');
    this.socket.onmessage = (message) => this.take(JSON.parse(message.data));
    this.socket.onclose = (close) => this.onClose(close.code);
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.dropWait?.();
    this.socket?.close();
  }

  take(message) {
    this.attempt = 0;
    if (message.kind === 'snapshot') {
      const isNews = this.position !== null; // history is gone: what changed meanwhile is in it
      this.position = message.position;
      message.loads.forEach((event) => this.onEvent(event, isNews));
    } else if (this.position === null || message.position > this.position) {
      this.position = message.position;
      this.onEvent(message, true);
    }
  }

  /** Go on with the next token: at once when there is one already. */
  waitForToken() {
    if (this.getToken() !== this.token) {
      this.start();
      return;
    }
    this.onStatus('refused');
    this.dropWait = onceRenewed(() => this.start());
  }

  /** @param {number} code */
  onClose(code) {
    if (this.isStopped) {
      return;
    }
    if (code === EXPIRED) {
      this.waitForToken();
      return;
    }
    if (FINAL_CODES[code]) {
      this.onStatus(/** @type {LiveStatus} */ (FINAL_CODES[code]));
      return;
    }
    this.onStatus('reconnecting');
    this.timer = window.setTimeout(() => this.start(), backoffMs(this.attempt, 15_000));
    this.attempt += 1;
  }
}
