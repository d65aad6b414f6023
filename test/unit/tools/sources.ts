import type { Released } from '../../../tools/migrations/released.js';
import { parseRoutine } from '../../../tools/migrations/routine.js';
import type { MigrationPair, StreamSource } from '../../../tools/migrations/stream-source.js';

export function functionSource(name: string, parameters = '', body = 'SELECT 1'): string {
  return `CREATE OR REPLACE FUNCTION {{schema}}.${name}(${parameters}) RETURNS integer
LANGUAGE sql
AS $$ ${body} $$;
REVOKE ALL ON FUNCTION {{schema}}.${name} FROM PUBLIC;
`;
}

export function viewSource(name: string, query = 'SELECT 1 AS one'): string {
  return `CREATE OR REPLACE VIEW {{schema}}.${name} AS ${query};\n`;
}

/** A work stream with these routines and these migrations, each `[up, down]`. */
export function streamOf(
  routines: Readonly<Record<string, string>>,
  migrations: Readonly<Record<string, readonly [up: string, down: string]>>,
): StreamSource {
  return {
    stream: 'work',
    routines: Object.entries(routines).map(([name, text]) => parseRoutine(name, text)),
    migrations: Object.entries(migrations).map(([name, [up, down]]) => ({ name, up, down })),
  };
}

export function withMigration(source: StreamSource, pair: MigrationPair): StreamSource {
  return { ...source, migrations: [...source.migrations, pair] };
}

export const nothingReleased: Released = { versions: [], checksums: new Map() };
