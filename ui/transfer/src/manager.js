/**
 * All transfers of this tab. Kept on window, so that a rerun of the script or another page of the app stops nothing.
 */
import { newestToken } from '../../browser/hub_token.js';
import { HubApi } from './api.js';
import { Job } from './job.js';
import { forgetUpload, listUnfinished, recallLoads, recallUpload } from './memory.js';
import { fingerprint } from './parts.js';

const PARALLEL_FILES = 2;
const ACTIVE = new Set(['checking', 'waiting', 'uploading', 'joining']);

export class TransferManager {
  constructor() {
    /** @type {Job[]} newest first */
    this.jobs = [];
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.token = null;
    window.addEventListener('beforeunload', (event) => {
      if (this.jobs.some((job) => job.state === 'uploading')) {
        event.preventDefault();
      }
    });
  }

  /** @param {{hub_url: string, token: string|null, options: object, needs_review: boolean}} settings */
  configure({ hub_url: hubUrl, token, options, needs_review: needsReview }) {
    this.token = token;
    this.options = options;
    this.needsReview = needsReview;
    if (!this.api) {
      this.api = new HubApi(hubUrl, () => newestToken(this.token));
      recallLoads().forEach((load) => this.followAgain(load));
    }
  }

  /** @param {{load_id: number, file_name: string, bytes: number}} load */
  followAgain(load) {
    const job = this.makeJob(null);
    job.name = load.file_name;
    job.bytes = load.bytes;
    this.jobs.push(job);
    job.follow(load.load_id);
  }

  /** @param {File|null} file */
  makeJob(file) {
    return new Job({ file, api: this.api, options: this.options, onChange: () => this.onChange() });
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      const isRunning = this.jobs.some((job) => job.print === fingerprint(file) && (ACTIVE.has(job.state) || job.state === 'review'));
      if (!isRunning) {
        const job = this.makeJob(file);
        this.jobs.unshift(job);
        // An upload that was broken off was checked and confirmed before
        job.check(this.needsReview && !recallUpload(job.print));
      }
    }
    this.onChange();
  }

  /** Uploads that a reload broke off and whose file has not been chosen again. */
  listInterrupted() {
    const here = new Set(this.jobs.map((job) => job.print));
    return listUnfinished().filter(([print]) => !here.has(print));
  }

  /** @param {string} print */
  discard(print) {
    const upload = recallUpload(print);
    forgetUpload(print);
    if (upload) {
      this.api.dropUpload(upload.upload_id).catch(() => {}); // the hub drops it by itself after a day
    }
    this.onChange();
  }

  /** @param {Job} job */
  remove(job) {
    job.dispose();
    this.jobs = this.jobs.filter((other) => other !== job);
    this.onChange();
  }

  onChange() {
    const sending = this.jobs.filter((job) => job.state === 'uploading' || job.state === 'joining').length;
    const next = [...this.jobs].reverse().find((job) => job.state === 'waiting');
    if (next && sending < PARALLEL_FILES) {
      next.send();
      return;
    }
    this.listeners.forEach((listener) => listener());
  }
}

/** The tab's manager. @returns {TransferManager} */
export function getManager() {
  const host = /** @type {any} */ (window);
  host.__tripdeckTransfers ??= new TransferManager();
  return host.__tripdeckTransfers;
}
