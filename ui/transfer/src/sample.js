/** Which bytes of a file the hub has to see to say what it holds. */

const SAMPLE_BYTES = 1024 * 1024; // as much as the loader decides by
const WHOLE_BYTES = 8 * 1024 * 1024; // the hub looks at this much
const MAGIC = 'PAR1';
const WORKBOOKS = ['PK\u0003\u0004', '\ufffd\ufffd\u0011\ufffd']; // zip, the container of old Excel files: both say at their end what they hold

/** @typedef {[number, number]} Part offset and bytes */

/**
 * Have a file inspected: by its beginning (all of it, if it is small and says at its end what it holds), or where it is a large Parquet file by its end and then by its first rows.
 * @param {File} file @param {(sample: Blob, query: [string, string][]) => Promise<any>} ask
 */
export async function inspectFile(file, ask) {
  const beginning = await file.slice(0, MAGIC.length).text();
  const isParquet = beginning === MAGIC;
  const parts = isParquet && file.size > WHOLE_BYTES ? await findEnds(file) : null;
  if (!parts) {
    const isWholeWanted = isParquet || WORKBOOKS.some((magic) => beginning.startsWith(magic));
    const bytes = isWholeWanted && file.size <= WHOLE_BYTES ? file.size : SAMPLE_BYTES;
    return await ask(file.slice(0, bytes), [['is_whole', String(file.size <= bytes)]]);
  }
  const answer = await askParts(file, parts, ask);
  return answer.wanted.length ? await askParts(file, [parts[0], ...answer.wanted, parts[1]], ask) : answer;
}

/** The beginning and the footer; null where that is more than the hub looks at. @param {Blob} file @returns {Promise<Part[]|null>} */
async function findEnds(file) {
  const last = new DataView(await file.slice(file.size - 8).arrayBuffer());
  const bytes = last.getUint32(0, true) + 8;
  return bytes < WHOLE_BYTES - 2 ** 16 && bytes < file.size ? [[0, MAGIC.length], [file.size - bytes, bytes]] : null;
}

/** @param {Blob} file @param {Part[]} parts @param {(sample: Blob, query: [string, string][]) => Promise<any>} ask */
function askParts(file, parts, ask) {
  const body = new Blob(parts.map(([at, bytes]) => file.slice(at, at + bytes)));
  return ask(body, [['bytes', String(file.size)], ...parts.map(([at, bytes]) => /** @type {[string, string]} */ (['part', `${at}:${bytes}`]))]);
}
