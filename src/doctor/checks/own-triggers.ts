import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import { clientName, ownName } from '../../deployment/own-names.js';
import { deploymentTables } from '../../deployment/placeholder-values.js';
import type { Settings } from '../../settings/settings.js';
import { ok, sql, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { list } from '../wording.js';

interface Trigger {
  readonly name: string;
  readonly table: string;
  readonly routine: string;
  readonly statement: string;
}

/** A client may drop and recreate its tables, which drops our triggers too. */
export const ownTriggers: DoctorCheck = {
  id: 'own-triggers',
  title: "triggers on the clients' tables",
  needs: ['work-schema', 'work-migrations'],
  run: async ({ settings, work }) => {
    const client = clientOf(work);
    const { rows } = await client.query<{ name: string; table: string }>(
      `SELECT tgname::text AS name, relname::text AS "table"
         FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname = $1 AND NOT tgisinternal AND starts_with(tgname, 'pcache_')`,
      [settings.clientSchema],
    );
    // A trigger is expected as soon as the function that it calls exists: the same migration creates both.
    const routines = await ownRoutines(client, settings.schema);
    const expected = triggersOf(settings).filter(({ routine }) => routines.has(routine));
    const missing = expected.filter(
      ({ name, table }) => !rows.some((row) => row.name === name && row.table === table),
    );
    if (missing.length === 0) return ok(expected.length === 0 ? 'not deployed yet' : 'all present');
    return warning(
      `missing: ${list(missing.map(({ name, table }) => `${name} on ${table}`))}; a client that recreates its tables drops them`,
      sql('migrator', settings.work.database, ...missing.map(({ statement }) => statement)),
    );
  },
};

async function ownRoutines(client: ClientBase, schema: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT proname::text AS name FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
      WHERE nspname = $1`,
    [schema],
  );
  return new Set(rows.map(({ name }) => name));
}

// As the migrations create them.
function triggersOf(settings: Settings): Trigger[] {
  const tables = deploymentTables(settings);
  const trigger = (
    name: string,
    table: string,
    routine: string,
    {
      kind = 'TRIGGER',
      when,
      each,
      argument = '',
    }: { kind?: string; when: string; each: string; argument?: string },
  ): Trigger => ({
    name,
    table,
    routine,
    statement: `CREATE ${kind} ${escapeIdentifier(name)} ${when} ON ${clientName(settings, table)} ${each} EXECUTE FUNCTION ${ownName(settings, routine)}(${argument});`,
  });
  return [
    ...[
      [tables.originalQueue, 'original_query_available'] as const,
      [tables.fragmentQueue, 'query_fragment_available'] as const,
    ].map(([table, channel]) =>
      trigger('pcache_notify', table, 'notify_queue', {
        when: 'AFTER INSERT OR UPDATE',
        each: 'FOR EACH STATEMENT',
        argument: escapeLiteral(channel),
      }),
    ),
    trigger('pcache_validate', tables.processorConfig, 'validate_processor_config', {
      when: 'BEFORE INSERT OR UPDATE',
      each: 'FOR EACH ROW',
    }),
    trigger('pcache_sync_cron', tables.processorConfig, 'sync_cron', {
      kind: 'CONSTRAINT TRIGGER',
      when: 'AFTER INSERT OR DELETE OR UPDATE OF job_name, enabled, max_parallel_jobs, frequency_seconds',
      each: 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW',
    }),
    ...(settings.cacheBackend === 'bit'
      ? [
          trigger('pcache_widen', tables.partitionMetadata, 'widen_bit_cache', {
            when: 'BEFORE UPDATE OF bitsize',
            each: 'FOR EACH ROW',
          }),
        ]
      : []),
  ];
}
