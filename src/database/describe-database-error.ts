import { errorCode, isDatabaseError } from './database-error.js';

/** What the server reported, in psql's order and with psql's labels. */
export function describeDatabaseError(error: unknown): string {
  if (isDatabaseError(error)) {
    const place = [error.schema, error.table, error.column].filter(Boolean).join('.');
    return lines([
      `${error.message} (SQLSTATE ${error.code})`,
      ['DETAIL', error.detail],
      ['HINT', error.hint],
      ['ON', place],
      ['CONSTRAINT', error.constraint],
      ['QUERY', shortened(error.internalQuery)],
      ['CONTEXT', error.where],
    ]);
  }
  // A host with several addresses fails once for each address; the AggregateError itself has no message.
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(describeDatabaseError))].join('; ');
  }
  if (!(error instanceof Error)) return String(error);
  const code = errorCode(error);
  const message = error.message.trim() || error.name;
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

const LONGEST_QUERY = 200;

function shortened(query: string | undefined): string | undefined {
  return query !== undefined && query.length > LONGEST_QUERY
    ? `${query.slice(0, LONGEST_QUERY)} …`
    : query;
}

function lines([message, ...rest]: [string, ...[string, string | undefined][]]): string {
  return [
    message,
    ...rest.filter(([, text]) => text).map(([label, text]) => `${label}: ${text}`),
  ].join('\n');
}
