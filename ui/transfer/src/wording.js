/** Words and numbers of uploads and loads. */

const numbers = new Intl.NumberFormat('en');

/** 12 345, with a narrow space that doesn't break, as everywhere on the page. @param {number} value */
export function formatCount(value) {
  return numbers.format(Math.round(value)).replaceAll(',', '\u202f');
}

/** What doesn't show, or turns text around, as escapes that can be read; joiners of letters stay. @param {string} text */
export function escapeControls(text) {
  return text.replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (sign) => `\\u{${sign.codePointAt(0).toString(16)}}`);
}

/** Decimal units, as stores and disks give them: 648 MB. @param {number} bytes */
export function formatBytes(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3)} ${units[unit]}`;
}

/** 8 s, 3 min 20 s, 2 h 5 min @param {number} seconds */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** @param {number} count @param {string} one */
export function formatPlural(count, one) {
  return `${formatCount(count)} ${one}${count === 1 ? '' : 's'}`;
}

export const TERMINAL_STATES = new Set(['succeeded', 'failed', 'cancelled', 'undone']);

/** @type {Record<string, string>} */
export const STATE_LABELS = {
  queued: 'Queued',
  planning: 'Planning',
  loading: 'Loading',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
  undone: 'Undone',
};

/**
 * One line on how a load stands.
 * @param {any} load event JSON @param {{rate: number, secondsLeft: number|null}} speed rows per second
 */
export function describeLoad(load, { rate, secondsLeft }) {
  const rejects = load.rows_rejected > 0 ? [`${formatCount(load.rows_rejected)} rejected`] : [];
  switch (load.state) {
    case 'queued':
      return 'Waiting for a free worker';
    case 'planning':
      return 'Reading the file once to find its format and where to cut it';
    case 'loading': {
      const speed = rate > 0 ? [`${formatCount(rate)} rows/s`] : [];
      const left = secondsLeft === null ? [] : [`${formatDuration(secondsLeft)} left`];
      return [formatPlural(load.rows_read, 'row'), ...speed, ...left, ...rejects].join(' · ');
    }
    case 'succeeded':
      if (load.duplicate_of) {
        return `The same bytes are loaded already, as load ${load.duplicate_of}: nothing was added`;
      }
      return [`${formatPlural(load.rows_loaded, 'trip')} loaded`, ...elapsed(load), ...rejects, ...(load.notes ?? [])].join(' · ');
    case 'failed':
      return load.error_message ?? 'The load failed';
    default:
      return `${STATE_LABELS[load.state] ?? load.state} after ${formatPlural(load.rows_read, 'row')}`;
  }
}

function elapsed(load) {
  if (!load.started_at || !load.finished_at) {
    return [];
  }
  const seconds = (Date.parse(load.finished_at) - Date.parse(load.started_at)) / 1000;
  return [seconds < 10 ? `${seconds.toFixed(1)} s` : formatDuration(seconds)];
}

/** Share of a load that is done, 0 to 1; null while nobody knows. @param {any} load */
export function loadShare(load) {
  if (TERMINAL_STATES.has(load.state)) {
    return load.state === 'succeeded' ? 1 : null;
  }
  return load.state === 'loading' && load.bytes_total > 0 ? Math.min(1, load.bytes_read / load.bytes_total) : null;
}
