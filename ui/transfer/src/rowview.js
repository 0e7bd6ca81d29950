/** What a row shows, from its job; free of the DOM. */
import { STATE_LABELS, describeLoad, formatBytes, formatDuration, loadShare } from './wording.js';

const STAGES = ['Check', 'Upload', 'Queue', 'Load'];

/** @typedef {{stage: string, step: number, detail: string, share: number|null, tone: 'busy'|'good'|'bad'|'idle', actions: string[]}} RowView */

/** @param {import('./job.js').Job} job @returns {RowView} */
export function viewJob(job) {
  return (VIEWS[job.state] ?? VIEWS.failed)(job);
}

export { STAGES };

/** @type {Record<string, (job: any) => RowView>} */
const VIEWS = {
  checking: (job) => busy('Checking', { step: 0, detail: job.problem ?? 'Reading the first rows', share: null }),
  review: viewReview,
  waiting: () => busy('Waiting', { step: 1, detail: 'Waiting for the files before it', share: 0 }),
  uploading: (job) => busy('Uploading', { step: 1, detail: describeUpload(job), share: job.bytes ? job.sent / job.bytes : 0 }),
  joining: (job) => busy('Uploading', { step: 1, detail: job.problem ?? 'Joining the parts', share: 1, actions: [] }),
  loading: viewLoading,
  ended: viewEnded,
  failed: (job) => ({ stage: 'Failed', step: 1, detail: job.problem ?? 'Something went wrong', share: null, tone: 'bad', actions: job.file ? ['again', 'remove'] : ['remove'] }),
  cancelled: () => ({ stage: 'Cancelled', step: 1, detail: 'Nothing was loaded', share: null, tone: 'idle', actions: ['again', 'remove'] }),
};

function busy(stage, { step, detail, share, actions = ['cancel'] }) {
  return { stage, step, detail, share, tone: 'busy', actions };
}

function viewReview({ question, loadId }) {
  const [stage, detail, actions] = question ? ['Question', 'Something is left open; say what it is', loadId ? ['load', 'remove'] : ['remove']] : ['Ready', 'Look at what was found, then load', ['load', 'remove']];
  return { ...busy(stage, { step: 0, detail, share: 0 }), tone: 'idle', actions };
}

function viewLoading(job) {
  const { load } = job;
  if (!load) {
    return busy('Queued', { step: 2, detail: job.problem ?? 'Asking the hub', share: null });
  }
  const left = load.bytes_total > 0 ? job.byteMeter.secondsLeft(load.bytes_total) : null;
  const away = job.liveStatus === 'reconnecting' ? 'The hub does not answer; the load goes on · ' : '';
  const detail = job.problem ?? away + describeLoad(load, { rate: job.rowMeter.rate, secondsLeft: left });
  return busy(STATE_LABELS[load.state], { step: load.state === 'queued' ? 2 : 3, detail, share: loadShare(load) });
}

function viewEnded({ load }) {
  const isGood = load.state === 'succeeded';
  const actions = isGood ? ['show', ...(load.rows_rejected > 0 ? ['rejects'] : []), 'remove'] : ['remove'];
  const detail = describeLoad(load, { rate: 0, secondsLeft: null });
  return { stage: STATE_LABELS[load.state], step: isGood ? 4 : 3, detail, share: loadShare(load), tone: isGood ? 'good' : load.state === 'failed' ? 'bad' : 'idle', actions };
}

function describeUpload(job) {
  if (job.problem) {
    return job.problem;
  }
  const { rate } = job.sentMeter;
  const left = job.sentMeter.secondsLeft(job.bytes);
  const parts = [`${formatBytes(job.sent)} of ${formatBytes(job.bytes)}`];
  if (rate > 0) parts.push(`${formatBytes(rate)}/s`);
  if (left !== null && job.sent < job.bytes) parts.push(`${formatDuration(left)} left`);
  if (job.reused > 0) parts.push('continued where it broke off');
  return parts.join(' · ');
}
