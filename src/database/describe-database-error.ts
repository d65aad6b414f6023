import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { errorCode, isDatabaseError } from './database-error.js';

/** What the server reported, in psql's order and with psql's labels. */
export function describeDatabaseError(error: unknown): string {
  if (isDatabaseError(error)) {
    const place = [error.schema, error.table, error.column].filter(Boolean).join('.');
    return lines([
      `${shown(error.message)} (SQLSTATE ${error.code})`,
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
  if (!(error instanceof Error)) return shown(String(error));
  const code = errorCode(error);
  const said = error.message.trim() || error.name;
  // Ours have line breaks of ours.
  const message = error instanceof PcacheError ? said : shown(said);
  return code === undefined || message.includes(code) ? message : `${message} (${code})`;
}

const LONGEST_QUERY = 200;

function shortened(query: string | undefined): string | undefined {
  const characters = [...(query ?? '')];
  return characters.length > LONGEST_QUERY
    ? `${characters.slice(0, LONGEST_QUERY).join('')} …`
    : query;
}

function lines([message, ...rest]: [string, ...[string, string | undefined][]]): string {
  return [
    message,
    ...rest.flatMap(([label, text]) => (text ? [`${label}: ${shown(text)}`] : [])),
  ].join('\n');
}
