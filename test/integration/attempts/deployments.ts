import { PcacheError } from '../../../src/errors/pcache-error.js';
import type { Settings } from '../../../src/settings/settings.js';
import { deploy } from '../../harness/deployment.js';
import type { Attempt, Scene, Theme } from './attempt.js';
import { identifier, inCron, inWork, literal } from './sql.js';

// A deployment that is still to come: of the roles of the first, with schemas of its own. Its names are known.
const CLIENTS = 'coming_clients';

function comingSettings({ place }: Scene): Settings {
  return place.site.settings({
    PCACHE_SCHEMA: 'coming',
    PCACHE_CLIENT_SCHEMA: CLIENTS,
    PG_QUEUE_TABLE_PREFIX: 'coming_queue',
    PG_ARRAY_CACHE_TABLE_PREFIX: 'coming_cache',
    PCACHE_CRON_TRANSPORT: 'deploy',
  });
}

const cronSchemaOf = (scene: Scene) => comingSettings(scene).cronSchema;

/** Deploys, and may be refused: what counts is what is there then. */
async function deployed(settings: Settings): Promise<string | undefined> {
  try {
    await deploy(settings);
    return undefined;
  } catch (error) {
    if (!(error instanceof PcacheError)) throw error;
    return 'not deployed';
  }
}

const removeComing = async (scene: Scene) => {
  await inWork(
    () => 'DROP SCHEMA IF EXISTS coming CASCADE',
    () => `DROP SCHEMA IF EXISTS ${CLIENTS} CASCADE`,
  )(scene);
  await inCron(
    () => `SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname LIKE 'partitioncache%coming%'`,
    () => `DROP SCHEMA IF EXISTS ${identifier(cronSchemaOf(scene))} CASCADE`,
  )(scene);
};

function beforehand(
  attempt: Pick<Attempt, 'what' | 'in' | 'statements' | 'look' | 'control' | 'leave'>,
): Attempt {
  return {
    ...attempt,
    prepare: inWork(
      () => `CREATE SCHEMA ${CLIENTS}`,
      ({ place }) =>
        `GRANT USAGE, CREATE ON SCHEMA ${CLIENTS}
           TO ${place.roles.migrator.name}, ${place.roles.client.name}, ${place.roles.outsider.name}`,
      ({ place }) =>
        `GRANT USAGE ON SCHEMA ${CLIENTS} TO ${place.roles.cron.name}, ${place.roles.fragment.name}`,
    ),
    others: async (scene, refused) => {
      if (refused !== undefined || scene.attacker === 'control') return undefined;
      return deployed(comingSettings(scene));
    },
    restore: removeComing,
  };
}

/** Whether something of the deployment stands beside, or in, what is not its own. */
function deployedUpon(deployedTable: string, foreign: string): string {
  return `SELECT to_regclass(${literal(deployedTable)}) IS NOT NULL AND EXISTS (SELECT FROM ${foreign})`;
}

const notMine = (column: string, owner: string) => `${column} <> ${literal(owner)}::regrole`;

export const deployments: Theme = {
  name: 'Deploy upon ours, or be there before',
  attempts: [
    {
      what: 'deploy over ours, with roles of its own',
      only: ['neighbourMigrator', 'tenantMigrator'],
      statements: () => [],
      others: ({ place, attacker }) =>
        attacker === 'control'
          ? Promise.resolve(undefined)
          : deployed(
              place.site.settings({
                DB_USER: place.roles[attacker].name,
                DB_PASSWORD: place.roles[attacker].password,
              }),
            ),
      look: ({ place, me }) =>
        `SELECT EXISTS (SELECT FROM pg_proc WHERE pronamespace = '${place.settings.schema}'::regnamespace
                           AND proowner = ${literal(me)}::regrole)`,
      control: ({ place }) => [
        `CREATE FUNCTION ${place.settings.schema}.intruder() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
      ],
      restore: inWork(({ place }) => `DROP FUNCTION IF EXISTS ${place.settings.schema}.intruder()`),
    },
    beforehand({
      what: 'have a deployment come to a schema of its own',
      statements: () => ['CREATE SCHEMA coming', 'GRANT ALL ON SCHEMA coming TO PUBLIC'],
      look: ({ place }) =>
        deployedUpon(
          'coming.settings',
          `pg_namespace WHERE nspname = 'coming' AND ${notMine('nspowner', place.roles.migrator.name)}`,
        ),
      control: () => ['CREATE SCHEMA coming', 'CREATE TABLE coming.settings ()'],
    }),
    beforehand({
      what: 'have a deployment come to a schema of its own in the pg_cron database',
      in: 'cron',
      statements: (scene) => [
        `CREATE SCHEMA ${identifier(cronSchemaOf(scene))}`,
        `GRANT ALL ON SCHEMA ${identifier(cronSchemaOf(scene))} TO PUBLIC`,
      ],
      look: (scene) =>
        deployedUpon(
          `${identifier(cronSchemaOf(scene))}.deployment`,
          `pg_namespace WHERE nspname = ${literal(cronSchemaOf(scene))}
             AND ${notMine('nspowner', scene.place.roles.cron.name)}`,
        ),
      control: (scene) => [
        `CREATE SCHEMA ${identifier(cronSchemaOf(scene))}`,
        `CREATE TABLE ${identifier(cronSchemaOf(scene))}.deployment ()`,
      ],
    }),
    beforehand({
      what: 'have a deployment use its table for the queue',
      statements: () => [
        `CREATE TABLE ${CLIENTS}.coming_queue_query_fragment_queue
           (id serial PRIMARY KEY, query text NOT NULL, hash text NOT NULL, partition_key text NOT NULL,
            partition_datatype text, priority integer NOT NULL DEFAULT 1, created_at timestamp DEFAULT now(),
            updated_at timestamp DEFAULT now(), UNIQUE (hash, partition_key))`,
        `GRANT ALL ON ${CLIENTS}.coming_queue_query_fragment_queue TO PUBLIC`,
      ],
      look: ({ place }) =>
        deployedUpon(
          'coming.settings',
          `pg_class WHERE relname = 'coming_queue_query_fragment_queue'
             AND ${notMine('relowner', place.roles.migrator.name)}`,
        ),
      control: () => [
        'CREATE SCHEMA coming',
        'CREATE TABLE coming.settings ()',
        `CREATE TABLE ${CLIENTS}.coming_queue_query_fragment_queue ()`,
      ],
    }),
    beforehand({
      what: 'have a deployment give its clients a function of its own',
      statements: () => [
        `CREATE FUNCTION ${CLIENTS}.partitioncache_deployments()
           RETURNS TABLE (schema_name name, table_prefix text, cache_backend text)
           LANGUAGE sql AS $$ SELECT 'intruder'::name, 'coming_cache', 'array' $$`,
      ],
      look: ({ place }) =>
        deployedUpon(
          'coming.settings',
          `pg_proc WHERE pronamespace = '${CLIENTS}'::regnamespace
             AND ${notMine('proowner', place.roles.migrator.name)}`,
        ),
      control: () => [
        'CREATE SCHEMA coming',
        'CREATE TABLE coming.settings ()',
        `CREATE FUNCTION ${CLIENTS}.intruder() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
      ],
    }),
    beforehand({
      what: 'have a deployment give its clients an aggregate of its own',
      statements: () => [
        `CREATE FUNCTION ${CLIENTS}.intruder(state anyarray, next anyarray) RETURNS anyarray
           LANGUAGE sql AS 'SELECT next'`,
        `CREATE AGGREGATE ${CLIENTS}.array_intersect_agg(anyarray)
           (SFUNC = ${CLIENTS}.intruder, STYPE = anyarray)`,
      ],
      look: ({ place }) =>
        deployedUpon(
          'coming.settings',
          `pg_proc WHERE proname = 'array_intersect_agg' AND pronamespace = '${CLIENTS}'::regnamespace
             AND ${notMine('proowner', place.roles.migrator.name)}`,
        ),
      control: () => [
        'CREATE SCHEMA coming',
        'CREATE TABLE coming.settings ()',
        `CREATE FUNCTION ${CLIENTS}.array_intersect_agg() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
      ],
    }),
  ],
};
