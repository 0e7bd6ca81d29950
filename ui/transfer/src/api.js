/** The hub's REST calls that a browser makes. */

const TIMEOUT_MS = 20_000;

/** What went wrong with a call. status 0: nobody answered. */
export class HubError extends Error {
  /** @param {string} message @param {{status?: number, code?: string, parameter?: string|null, choices?: any, columns?: any, statement?: string|null, roles?: any}} [facts] */
  constructor(message, { status = 0, code = 'unavailable', parameter = null, choices = null, columns = null, statement = null, roles = null } = {}) {
    super(message);
    Object.assign(this, { status, code, parameter, choices, columns, statement, roles });
  }

  /** Whether a person can settle it: by one of the choices, by a column for a role, or by another option. */
  get isQuestion() {
    return this.status === 422 && this.parameter !== null;
  }

  /** Whether another try may go well; a page that slept is handed a new token when it wakes. */
  get isPassing() {
    return this.status === 0 || this.status === 401 || this.status === 429 || this.status >= 500;
  }
}

export class HubApi {
  /** @param {string} baseUrl @param {() => string|null} getToken Python renews it with a rerun */
  constructor(baseUrl, getToken) {
    this.baseUrl = baseUrl.replace(/\/$/, '');
    this.getToken = getToken;
  }

  /** What the loader makes of a file's first bytes. @param {Blob} sample @param {Record<string, string>} query */
  inspect(sample, query) {
    return this.call('POST', `/api/v1/inspect?${new URLSearchParams(query)}`, { body: sample, type: 'application/octet-stream' });
  }

  /** @param {string} fileName @param {number} bytes */
  beginUpload(fileName, bytes) {
    return this.call('POST', '/api/v1/uploads', { json: { file_name: fileName, bytes } });
  }

  /** @param {string} id */
  fetchUpload(id) {
    return this.call('GET', `/api/v1/uploads/${id}`);
  }

  /** URLs by part number. @param {string} id @param {number[]} partNumbers @returns {Promise<Map<number, string>>} */
  async signParts(id, partNumbers) {
    const { parts } = await this.call('POST', `/api/v1/uploads/${id}/parts`, { json: { part_numbers: partNumbers } });
    return new Map(parts.map((part) => [part.part_number, part.url]));
  }

  /** @param {string} id @param {object} options */
  completeUpload(id, options) {
    return this.call('POST', `/api/v1/uploads/${id}/complete`, { json: { options } });
  }

  /** @param {string} id */
  dropUpload(id) {
    return this.call('DELETE', `/api/v1/uploads/${id}`);
  }

  /** @param {number} loadId @param {'cancel'|'retry'|'undo'} order @param {object} [options] with which it is tried again */
  orderLoad(loadId, order, options) {
    return this.call('POST', `/api/v1/loads/${loadId}/${order}`, options ? { json: { options } } : {});
  }

  /** @param {number} id */
  fetchLoad(id) {
    return this.call('GET', `/api/v1/loads/${id}`);
  }

  /** A page of loads older than one, newest first. @param {number} before @param {number} limit */
  async listLoads(before, limit) {
    return (await this.call('GET', `/api/v1/loads?before=${before}&limit=${limit}`)).loads;
  }

  /** Forget what was said of files of a kind. @param {string} headerHash */
  forgetReading(headerHash) {
    return this.call('DELETE', `/api/v1/readings/${headerHash}`);
  }

  /** @param {string} method @param {string} path @param {{json?: object, body?: Blob, type?: string}} [content] */
  async call(method, path, { json, body, type } = {}) {
    const token = this.getToken();
    const headers = {
      ...(json || type ? { 'Content-Type': type ?? 'application/json' } : {}),
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
    };
    let response;
    try {
      response = await fetch(this.baseUrl + path, { method, headers, body: json ? JSON.stringify(json) : body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      throw new HubError(`The hub at ${this.baseUrl} does not answer.`);
    }
    const text = await response.text();
    if (!response.ok) {
      throw readError(response.status, text);
    }
    return text ? JSON.parse(text) : null;
  }
}

/** @param {number} status @param {string} text */
function readError(status, text) {
  try {
    const { detail, ...facts } = JSON.parse(text);
    return new HubError(detail ?? `The hub answered with status ${status}.`, { ...facts, status });
  } catch {
    return new HubError(`The hub answered with status ${status}.`, { status });
  }
}
