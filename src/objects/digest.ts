/** SQL: one short text for all rows of a listing or of a record, the same if and only if the rows are. */
export function digestOf(rows: string): string {
  return `
SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg(
         pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(
           pg_catalog.concat_ws(E'\\n', kind, identity, definition), 'UTF8')), 'hex'), ''
         ORDER BY kind COLLATE "C", identity COLLATE "C"), ''), 'UTF8')), 'hex') AS digest
FROM (${rows}) AS object`;
}
