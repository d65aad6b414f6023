import { beforeAll, describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/migrations/ledger-error.js';
import { down } from '../../src/operations/down.js';
import { PreflightError } from '../../src/operations/preflight.js';
import { readStatus } from '../../src/operations/status.js';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite, deploy, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';

/** up finds it among its checks, the other commands when they read the ledger. */
function whatItSays(error: unknown): string {
  if (error instanceof PreflightError) return JSON.stringify(error.failed);
  if (error instanceof LedgerError) return `${error.message}\n${error.remedy}`;
  throw error;
}

// Builds from before the first release had another sequence of migrations. What they deployed, whole or in
// part, is not touched.
describe.each([
  ['the whole', ['0001_deployment', '0002_queues', '0003_queue_notifications']],
  ['the beginning', ['0001_deployment']],
])('a database with %s of an earlier history', (_, names) => {
  let site: TestSite;
  let settings: Settings;
  let before: unknown;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    const work = await connectAs(settings.work);
    await work.query(
      `CREATE SCHEMA partitioncache;
       CREATE TABLE partitioncache.migrations
         (id serial PRIMARY KEY, name varchar(255) NOT NULL, run_on timestamp NOT NULL);`,
    );
    await work.query(
      'INSERT INTO partitioncache.migrations (name, run_on) SELECT name, now() FROM unnest($1::text[]) AS name',
      [names],
    );
    before = await dumps();
  });

  const dumps = async () => {
    const cron = await connectAs(settings.cron);
    const { rows: ofCron } = await cron.query('SELECT FROM pg_namespace WHERE nspname = $1', [
      settings.cronSchema,
    ]);
    return { work: await dumpSchema(site.cluster, site.database), ofCron };
  };

  it.each([
    ['up', () => deploy(settings)],
    [
      'down',
      () =>
        down(settings, {
          streams: ['work', 'cron'],
          extent: { all: true },
          confirm: async () => true,
          drainSeconds: 1,
          waitSeconds: 5,
          onWait: () => {},
          log: () => {},
        }),
    ],
  ])('%s says which build rolls it back, and changes nothing', async (_, command) => {
    const error = await command().catch((thrown: unknown) => thrown);
    const said = whatItSays(error);
    expect(said).toContain('The ledger begins with 0001_deployment');
    expect(said).toContain(
      'Roll it back with the build that migrated it (pcache-migrate down --all)',
    );
    expect(await dumps()).toEqual(before);
  });

  it('status says so, too, beside what else it knows', async () => {
    const { streams, upToDate } = await readStatus(settings);
    expect(streams[0]?.problems.join()).toContain('The ledger begins with 0001_deployment');
    expect(streams[0]?.remedy).toContain('pcache-migrate down --all');
    expect(upToDate).toBe(false);
    expect(await dumps()).toEqual(before);
  });
});
