/**
 * One file on its way: checked, reviewed, uploaded, loaded. Lives in the manager, not on the page.
 *
 * @typedef {'checking'|'review'|'waiting'|'uploading'|'joining'|'loading'|'interrupted'|'ended'|'failed'|'cancelled'} JobState
 */
import { HubError } from './api.js';
import { Live } from './live.js';
import { forgetLoad, forgetUpload, recallUpload, rememberLoad, rememberUpload } from './memory.js';
import { RateMeter, backoffMs, fingerprint } from './parts.js';
import { inspectFile } from './sample.js';
import { CancelledError, PartUploader, sleep } from './upload.js';
import { TERMINAL_STATES, escapeControls } from './wording.js';

const MOST_ATTEMPTS = 8; // about a minute of a hub that is away, as during a restart

export class Job {
  /**
   * @param {object} parts
   * @param {File|null} parts.file null for a load that is only followed @param {import('./api.js').HubApi} parts.api
   * @param {object} parts.options how to read the file @param {() => void} parts.onChange
   */
  constructor({ file, api, options, onChange }) {
    Object.assign(this, { file, api, onChange });
    // People who come with a file of the same kind expect it to be read as the last time; programs must ask for that.
    this.options = { as_last_time: true, ...options };
    this.id = crypto.randomUUID?.() ?? String(Math.random());
    this.name = escapeControls(file?.name ?? '').replaceAll('\\', '_'); // the hub takes a backslash for a folder's
    this.bytes = file?.size ?? 0;
    this.print = file ? fingerprint(file) : '';
    this.sent = 0;
    this.reused = 0;
    this.sentMeter = new RateMeter();
    this.rowMeter = new RateMeter();
    this.byteMeter = new RateMeter();
    /** @type {string|null} */ this.problem = null;
    /** @type {any} */ this.inspection = null;
    /** @type {import('./api.js').HubError|null} what a person has to settle before the file can be loaded */ this.question = null;
    /** @type {any} */ this.load = null;
    /** @type {import('./live.js').LiveStatus|null} */ this.liveStatus = null;
    this.isTold = false;
    /** @type {JobState} */ this.state = file ? 'checking' : 'loading';
  }

  /** @param {JobState} state @param {string|null} [problem] */
  go(state, problem = null) {
    this.state = state;
    this.problem = problem;
    this.onChange();
  }

  /** Ask the hub what the file looks like; a file it can't read ends here. @param {boolean} needsReview */
  async check(needsReview) {
    this.go('checking');
    try {
      await this.patiently(() => this.look());
      this.go(needsReview || this.question ? 'review' : 'waiting');
    } catch (error) {
      this.stopFor(error);
    }
  }

  /** Call the hub, again and again while it is away. @template T @param {() => Promise<T>} call @returns {Promise<T>} */
  async patiently(call) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await call();
        this.problem = null;
        return answer;
      } catch (error) {
        if (!(error instanceof HubError) || !error.isPassing || attempt + 1 >= MOST_ATTEMPTS) {
          throw error;
        }
        const pause = backoffMs(attempt);
        this.problem = `${error.message} Trying again in ${Math.ceil(pause / 1000)} s.`;
        this.onChange();
        await sleep(pause);
        if (this.state === 'cancelled') {
          throw new CancelledError('cancelled');
        }
      }
    }
  }

  /** Have the file inspected: afterwards there is an inspection, or a question. */
  async look() {
    if (!this.file) {
      return; // of a load that is only followed
    }
    try {
      this.inspection = await this.inspect();
      this.question = null;
    } catch (error) {
      if (!(error instanceof HubError) || !error.isQuestion) {
        throw error;
      }
      this.question = error;
    }
  }

  async inspect() {
    const file = /** @type {File} */ (this.file);
    const { roles = {}, ...options } = this.options;
    const query = Object.entries({ file_name: this.name, ...options }).map(([name, value]) => [name, String(value)]);
    const map = Object.entries(roles).map(([role, column]) => ['map', `${role}=${column}`]);
    return await inspectFile(file, (sample, about) => this.api.inspect(sample, /** @type {any} */ ([...query, ...map, ...about])));
  }

  /** Upload and begin the load. Never throws: what goes wrong is the job's state. */
  async send() {
    if (this.loadId) {
      await this.retry();
      return;
    }
    try {
      this.go('uploading');
      const upload = await this.begin();
      if (upload.load_id === null) {
        await this.putParts(upload);
      }
      this.go('joining');
      const load = await this.patiently(() => this.api.completeUpload(upload.upload_id, this.options));
      forgetUpload(this.print);
      this.follow(load.load_id);
    } catch (error) {
      this.stopFor(error);
    }
  }

  /** Have the hub read the file that it has again, with the options as they are now. */
  async retry() {
    try {
      this.go('joining');
      const load = await this.patiently(() => this.api.orderLoad(/** @type {number} */ (this.loadId), 'retry', this.options));
      this.question = null;
      this.fromSeq = load.last_seq;
      this.follow(load.load_id);
    } catch (error) {
      this.stopFor(error);
    }
  }

  /** What a load that failed asks of a person, if it asks anything. */
  async askWhatFailed() {
    const load = await this.patiently(() => this.api.fetchLoad(/** @type {number} */ (this.loadId))).catch(() => null);
    if (load?.question) {
      this.question = new HubError(load.error_message, { status: 422, code: load.error_code, ...load.question });
      this.go('review');
    }
  }

  stopFor(error) {
    if (error instanceof CancelledError) {
      return;
    }
    if (!(error instanceof HubError)) {
      this.go('failed', 'The file can no longer be read; choose it again.');
      throw error;
    }
    if (error.status === 404) {
      forgetUpload(this.print);
    }
    this.go('failed', error.message);
  }

  /** The upload this file began before, else a new one. */
  async begin() {
    const before = recallUpload(this.print);
    if (before) {
      try {
        return await this.patiently(() => this.api.fetchUpload(before.upload_id));
      } catch (error) {
        if (!(error instanceof HubError) || error.status !== 404) {
          throw error;
        }
        forgetUpload(this.print);
      }
    }
    return await this.patiently(() => this.api.beginUpload(this.name, this.bytes));
  }

  async putParts(upload) {
    const remember = () => rememberUpload(this.print, { upload_id: upload.upload_id, file_name: this.name, bytes: this.bytes, sent: this.sent });
    this.reused = upload.parts_done.length;
    this.uploadId = upload.upload_id;
    remember();
    this.uploader = new PartUploader({
      api: this.api,
      file: this.file,
      upload,
      onProgress: (sent) => {
        this.sent = sent;
        this.sentMeter.add(sent, performance.now());
        this.onChange();
      },
      onProblem: (problem) => {
        this.problem = problem;
        remember();
        this.onChange();
      },
    });
    await this.uploader.run();
    this.problem = null;
  }

  /** Watch a load until it ends. @param {number} loadId */
  follow(loadId) {
    this.loadId = loadId;
    rememberLoad({ load_id: loadId, file_name: this.name, bytes: this.bytes });
    this.go('loading');
    this.live = new Live({
      url: this.api.baseUrl,
      path: `/ws/loads/${loadId}`,
      getToken: this.api.getToken,
      onEvent: (event) => this.takeEvent(event),
      onStatus: (status) => this.takeStatus(status),
    });
    this.live.start();
  }

  takeEvent(event) {
    if (event.seq < (this.fromSeq ?? 0)) {
      return; // how an earlier try ended
    }
    this.load = event;
    this.name ||= escapeControls(event.file_name);
    this.bytes ||= event.bytes_total;
    const now = performance.now();
    this.rowMeter.add(event.rows_read, now);
    this.byteMeter.add(event.bytes_read, now);
    if (TERMINAL_STATES.has(event.state)) {
      this.live?.stop();
      forgetLoad(event.load_id);
      this.go('ended');
      if (event.state === 'failed') {
        this.askWhatFailed();
      }
    } else {
      this.onChange();
    }
  }

  takeStatus(status) {
    this.liveStatus = status;
    if (status === 'missing') {
      forgetLoad(/** @type {number} */ (this.loadId));
      this.go('failed', `Load ${this.loadId} is not there any more.`);
    } else if (status === 'refused') {
      this.go('loading', 'The hub refuses this page; reload it to sign in again. The load goes on.');
    } else {
      this.onChange();
    }
  }

  /** Stop the upload, or ask the hub to stop the load. */
  async cancel() {
    if (this.state === 'loading') {
      await this.tryOrder('cancel');
      return;
    }
    this.uploader?.cancel();
    const uploadId = this.uploadId ?? recallUpload(this.print)?.upload_id;
    forgetUpload(this.print);
    this.go('cancelled');
    if (uploadId) {
      await this.api.dropUpload(uploadId).catch(() => {}); // the hub drops what is left by itself after a day
    }
  }

  /** @param {'cancel'|'retry'} order */
  async tryOrder(order) {
    try {
      await this.api.orderLoad(/** @type {number} */ (this.loadId), order);
    } catch (error) {
      this.problem = error.message;
      this.onChange();
    }
  }

  dispose() {
    this.live?.stop();
    if (this.loadId) {
      forgetLoad(this.loadId);
    }
  }
}
