import { deploymentTables } from '../../../src/deployment/placeholder-values.js';
import { sync } from '../../../src/operations/sync.js';
import type { Settings } from '../../../src/settings/settings.js';
import type { ClusterAddress } from '../../../tools/throwaway/cluster.js';
import { runServerTool } from '../../../tools/throwaway/server-tool.js';
import { startOwnCluster } from '../../harness/cluster.js';
import { adminClient, createGroup, cronGrants, dropDatabase } from '../../harness/databases.js';
import {
  connectAs,
  createSite,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../../harness/deployment.js';
import { asAdmin, copyDatabase } from '../../harness/moved-databases.js';
import { cli, type Ran } from '../../unit/cli/fake-world.js';
import type { Names, Place, Sabotage } from './sabotage.js';

/** A deployment with rows in it, which is put back to how it was after each sabotage. */
export interface Bench {
  readonly names: Names;
  readonly settings: Settings;
  readonly cluster: ClusterAddress;
  /** One command line, as the person on duty types it. */
  readonly run: (line: string) => Promise<Ran>;
  /** As an administrator. */
  readonly execute: (place: Place, statements: readonly string[]) => Promise<void>;
  readonly rowsOf: (place: Place, table: string) => Promise<number>;
  readonly restore: (after: Sabotage) => Promise<void>;
  readonly remove: () => Promise<void>;
}

const quietly = { waitSeconds: 20, onWait: () => {} };

export async function createBench(): Promise<Bench> {
  // Its own cluster: pg_cron and roles are the cluster's, and are broken here.
  const cluster = await startOwnCluster();
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron']);
  const site = await createSite({ cluster });
  const settings = site.settings();
  await setUp(settings, { enable: false, parallel: 1, frequencySeconds: 3600 });
  const env = site.environment();
  const run = (line: string) => cli(line.split(' '), { env, now: () => new Date() });
  await fill(settings, run);
  const template = `${site.database}_pristine`;
  await copyDatabase(cluster, site.database, template, site.migrator.name);
  const oid = await oidOf(site);
  const other = await createGroup('other', cluster);
  const cronDump = await dumpOf(site, settings);
  const whole = await cronState(settings);
  const isWhole = async () => (await cronState(settings)) === whole;
  return {
    settings,
    cluster,
    run,
    names: namesOf(site, settings, other),
    execute: async (place, statements) => {
      await asAdmin(cluster, statements, databaseOf(settings, place));
    },
    rowsOf: (place, table) => count(cluster, databaseOf(settings, place), table),
    restore: async ({ place }) => {
      const { migrator, cronRole, cronSchema } = namesOf(site, settings, other);
      await dropDatabase(site.database, cluster);
      // With another oid it would be one that was restored, and has to be adopted.
      await asAdmin(cluster, [
        `CREATE DATABASE ${site.database} TEMPLATE ${template} OWNER ${migrator} OID ${oid}`,
      ]);
      if (place === 'cron' || !(await isWhole())) {
        await asAdmin(
          cluster,
          [
            'CREATE EXTENSION IF NOT EXISTS pg_cron',
            ...cronGrants(cronRole, settings.cron.database),
            'SELECT cron.unschedule(jobid) FROM cron.job',
            `DROP SCHEMA IF EXISTS ${cronSchema} CASCADE`,
            cronDump,
          ],
          settings.cron.database,
        );
      }
      await sync(settings, quietly);
    },
    remove: () => dropDatabase(template, cluster),
  };
}

/** A fragment that is queued, one that is cached and one that failed. */
async function fill(settings: Settings, run: Bench['run']): Promise<void> {
  const app = await connectAs(settings.client);
  const fragment = (hash: string, query: string) => ({
    hash,
    key: 'zipcode',
    datatype: 'integer',
    query,
  });
  await enqueue(app, settings, [
    fragment('good', 'SELECT zipcode FROM pois WHERE id < 100'),
    fragment('bad', 'SELECT nix FROM pois'),
  ]);
  await run('processor run');
  await enqueue(app, settings, [fragment('waiting', 'SELECT zipcode FROM pois WHERE id < 200')]);
  await app.query(
    `SELECT non_blocking_original_queue_upsert('SELECT 1', 'zipcode', 'integer', 1, $1)`,
    [deploymentTables(settings).originalQueue],
  );
  await app.end();
}

function namesOf(site: TestSite, settings: Settings, other: string): Names {
  const tables = Object.fromEntries(
    Object.entries(tablesOf(settings)).map(([key, name]) => [key, name.replaceAll('"', '')]),
  ) as Names['tables'];
  return {
    schema: settings.schema,
    cronSchema: settings.cronSchema,
    database: site.database,
    tables,
    cache: `public.${settings.tablePrefix}_cache_zipcode`,
    migrator: site.migrator.name,
    cronRole: site.cronRole.name,
    app: site.app.name,
    fragmentRole: site.fragmentRole as string,
    other,
  };
}

function databaseOf({ work, cron }: Settings, place: Place): string {
  return place === 'work' ? work.database : cron.database;
}

async function count(cluster: ClusterAddress, database: string, table: string): Promise<number> {
  const [row] = await asAdmin(
    cluster,
    [`SELECT count(*)::integer AS rows FROM ${table}`],
    database,
  );
  return row.rows;
}

async function oidOf({ cluster, database }: TestSite): Promise<number> {
  const client = await adminClient(database, cluster);
  try {
    const { rows } = await client.query<{ oid: number }>(
      'SELECT oid FROM pg_database WHERE datname = current_database()',
    );
    return rows[0]?.oid as number;
  } finally {
    await client.end();
  }
}

/** What tells whether a command has changed the cron stream. */
async function cronState({ cron, cronSchema }: Settings): Promise<string> {
  const client = await connectAs(cron);
  try {
    const { rows } = await client.query(
      `SELECT (SELECT count(*) FROM ${cronSchema}.ledger) AS applied,
              (SELECT digest FROM ${cronSchema}.recording) AS digest`,
    );
    return JSON.stringify(rows);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end();
  }
}

async function dumpOf(site: TestSite, settings: Settings): Promise<string> {
  const dump = await runServerTool(site.cluster, 'pg_dump', [
    '--username=postgres',
    `--dbname=${settings.cron.database}`,
    `--schema=${settings.cronSchema}`,
    '--inserts',
  ]);
  return dump
    .split('\n')
    .filter((line) => !line.startsWith('\\'))
    .join('\n');
}
