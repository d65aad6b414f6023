import { escapeIdentifier } from 'pg';
import { failed, ok, sql } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { checkGrants, onSchema } from '../grants.js';
import { clientOf } from '../reach.js';

export const clientSchema: DoctorCheck = {
  id: 'client-schema',
  title: "clients' schema",
  needs: ['work-connection'],
  run: async ({ settings, work }) => {
    const { rowCount } = await clientOf(work).query('SELECT FROM pg_namespace WHERE nspname = $1', [
      settings.clientSchema,
    ]);
    if (rowCount === 1) return ok(`"${settings.clientSchema}"`);
    return failed(
      `there is no schema "${settings.clientSchema}" (PCACHE_CLIENT_SCHEMA) in database "${settings.work.database}"`,
      // For the migrator to run, so that acting as the administrator never turns a misspelt name into a schema.
      sql(
        'migrator',
        settings.work.database,
        `CREATE SCHEMA ${escapeIdentifier(settings.clientSchema)};`,
      ),
    );
  },
};

export const clientSchemaMigrator: DoctorCheck = {
  id: 'client-schema-migrator',
  title: "migrator: clients' schema",
  needs: ['client-schema'],
  run: ({ settings, work }) =>
    checkGrants({
      client: clientOf(work),
      database: settings.work.database,
      by: 'owner of the schema',
      grants: [
        onSchema(settings.work.user, settings.clientSchema, 'USAGE'),
        onSchema(settings.work.user, settings.clientSchema, 'CREATE'),
      ],
      without: 'the queue and the cache cannot be created',
    }),
};

export const clientSchemaCronRole: DoctorCheck = {
  id: 'client-schema-cron-role',
  title: "cron role: clients' schema",
  needs: ['client-schema', 'roles'],
  run: ({ settings, work }) =>
    checkGrants({
      client: clientOf(work),
      database: settings.work.database,
      by: 'owner of the schema',
      grants: [onSchema(settings.cron.user, settings.clientSchema, 'USAGE')],
      without: 'the jobs reach neither queue nor cache',
    }),
};

export const clientSchemaFragmentRole: DoctorCheck = {
  id: 'client-schema-fragment-role',
  title: "fragment role: clients' schema",
  needs: ['client-schema', 'fragment-role'],
  run: ({ settings, work }) =>
    checkGrants({
      client: clientOf(work),
      database: settings.work.database,
      by: 'owner of the schema',
      grants: [onSchema(settings.fragmentRole as string, settings.clientSchema, 'USAGE')],
      without: 'fragments find no table in it',
    }),
};

export const clientSchemaClientRole: DoctorCheck = {
  id: 'client-schema-client-role',
  title: "client role: clients' schema",
  needs: ['client-schema', 'roles'],
  run: ({ settings, work }) =>
    checkGrants({
      client: clientOf(work),
      database: settings.work.database,
      by: 'owner of the schema',
      grants: [
        onSchema(settings.client.user, settings.clientSchema, 'USAGE'),
        onSchema(settings.client.user, settings.clientSchema, 'CREATE'),
      ],
      without:
        'a client fails when it connects: it runs CREATE TABLE IF NOT EXISTS, which requires CREATE even if the table exists',
      whenMissing: 'warning',
    }),
};
