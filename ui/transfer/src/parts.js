/** Upload arithmetic, free of the network: parts, what is missing, pauses between tries. */

/** Bytes of a part, from and to (exclusive). @param {number} number from 1 @param {number} partBytes @param {number} fileBytes @returns {[number, number]} */
export function partRange(number, partBytes, fileBytes) {
  const from = (number - 1) * partBytes;
  return [from, Math.min(fileBytes, from + partBytes)];
}

/** Numbers of the parts that the store does not have whole. @param {{bytes: number, part_bytes: number, parts_done: {part_number: number, bytes: number}[]}} upload @returns {number[]} */
export function missingParts({ bytes, part_bytes: partBytes, parts_done: done }) {
  const stored = new Map(done.map((part) => [part.part_number, part.bytes]));
  const missing = [];
  for (let number = 1; number <= Math.ceil(bytes / partBytes); number += 1) {
    const [from, to] = partRange(number, partBytes, bytes);
    if (stored.get(number) !== to - from) {
      missing.push(number);
    }
  }
  return missing;
}

/** Pause before another try: doubling, half to one and a half of it at random so that a crowd spreads. @param {number} attempt from 0 @param {number} [most] ms @param {() => number} [random] */
export function backoffMs(attempt, most = 20_000, random = Math.random) {
  return Math.min(most, 400 * 2 ** attempt) * (0.5 + random());
}

/** Name under which a file's unfinished upload is remembered. @param {{name: string, size: number, lastModified: number}} file */
export function fingerprint({ name, size, lastModified }) {
  return `${name}|${size}|${lastModified}`;
}

/** Speed over the last seconds. */
export class RateMeter {
  /** @param {number} [windowMs] */
  constructor(windowMs = 6_000) {
    this.windowMs = windowMs;
    /** @type {[number, number][]} */
    this.samples = [];
  }

  /** @param {number} value running total @param {number} nowMs */
  add(value, nowMs) {
    this.samples.push([nowMs, value]);
    while (this.samples.length > 2 && nowMs - this.samples[0][0] > this.windowMs) {
      this.samples.shift();
    }
  }

  /** Units per second; 0 until two samples lie apart. */
  get rate() {
    if (this.samples.length < 2) {
      return 0;
    }
    const [[firstMs, first]] = this.samples;
    const [lastMs, last] = this.samples[this.samples.length - 1];
    return lastMs - firstMs < 200 ? 0 : Math.max(0, ((last - first) * 1000) / (lastMs - firstMs));
  }

  /** Seconds until a total is reached; null while nobody knows. @param {number} total */
  secondsLeft(total) {
    const { rate } = this;
    const last = this.samples[this.samples.length - 1]?.[1] ?? 0;
    return rate > 0 ? Math.max(0, (total - last) / rate) : null;
  }
}
