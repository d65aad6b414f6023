import type pg from 'pg';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { configureProcessor } from '../../src/operations/configure-processor.js';
import { down } from '../../src/operations/down.js';
import { sync } from '../../src/operations/sync.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { setProcessor } from '../../src/processor/processor-config.js';
import { readFailures } from '../../src/processor/read-failures.js';
import { readKnownFragments } from '../../src/processor/read-known-fragments.js';
import { readProcessors } from '../../src/processor/read-processors.js';
import { readQueueDepth } from '../../src/processor/read-queue-depth.js';
import { readThroughput } from '../../src/processor/read-throughput.js';
import { retryFragments } from '../../src/processor/retry-fragments.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import { connectAs, enqueue, tablesOf } from '../harness/deployment.js';
import { foreignTables, type OutsiderSite, startOutsiderSite } from './foreign/outsider.js';

// The clients' own tables can be dropped and made again by the role that owns them. Whoever may CREATE in their
// schema can be quicker, and put something else in their place.

const wait = { waitSeconds: 20, onWait: () => {} };
let it_: OutsiderSite;
let job: string;

beforeAll(async () => {
  it_ = await startOutsiderSite();
  job = defaultJobName(it_.settings);
  await enqueue(it_.app, it_.settings, [
    { hash: 'h', key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
  ]);
  return () => it_.admin.end();
});

type Table = keyof ReturnType<typeof tablesOf>;
let undo: (() => Promise<unknown>) | undefined;

afterEach(async () => {
  await undo?.();
  undo = undefined;
});

/** The table is away; `plant` makes the outsider's in its place, of the same columns. */
async function replace(table: Table, plant: (name: string, original: string) => string) {
  const name = tablesOf(it_.settings)[table];
  const original = name.replace(/"$/, '_away"');
  await it_.admin.query(`ALTER TABLE ${name} RENAME TO ${original.split('.')[1]}`);
  await it_.admin.query(`GRANT SELECT ON ${original} TO ${it_.outsiderName}`);
  await it_.outsider.query(plant(name, original));
  await it_.outsider.query(`GRANT ALL ON ${name} TO PUBLIC`);
  undo = async () => {
    await it_.admin.query(`
      DO $$ BEGIN
        EXECUTE (SELECT format('DROP %s %s', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass)
                   FROM pg_class WHERE oid = '${name}'::regclass);
      END $$;
      ALTER TABLE ${original} RENAME TO ${name.split('.')[1]};
      REVOKE SELECT ON ${name} FROM ${it_.outsiderName}`);
  };
  await it_.victims();
}

const asView = (name: string, original: string) =>
  `CREATE VIEW ${name} AS SELECT * FROM ${original} WHERE spy();
   CREATE TRIGGER t INSTEAD OF INSERT OR UPDATE OR DELETE ON ${name} FOR EACH ROW EXECUTE FUNCTION spy_row();`;

const asTable = (name: string, original: string) =>
  `CREATE TABLE ${name} (LIKE ${original} INCLUDING ALL);
   INSERT INTO ${name} SELECT * FROM ${original};
   CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON ${name} FOR EACH ROW EXECUTE FUNCTION spy_row();
   ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY;
   CREATE POLICY p ON ${name} USING (spy()) WITH CHECK (spy());`;

/** Tries everything that a role does with the tables; each either does not touch the table or names it. */
async function attemptAll(attempts: Record<string, () => Promise<unknown>>): Promise<string[]> {
  const refused: string[] = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    const error = await attempt().then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (error?.message.includes('is not used, because it is not as role')) refused.push(name);
    else expect([name, error?.message]).toEqual([name, undefined]);
  }
  return refused;
}

function sql(client: pg.Client, text: string): () => Promise<unknown> {
  return () => client.query(text);
}

const processed: readonly Table[] = [
  'fragmentQueue',
  'processorConfig',
  'processorLog',
  'activeJobs',
  'partitionMetadata',
  'queries',
];

describe.each([
  ['a view', asView],
  ['a table with a trigger and a policy', asTable],
] as const)('%s of an outsider in the place of', (_, plant) => {
  it.each(processed)('%s: nothing that the cron role runs uses it', async (table) => {
    await replace(table, plant);
    const cron = await connectAs({ ...it_.settings.cron, database: it_.site.database });
    const refused = await attemptAll({
      'a run': sql(cron, `CALL partitioncache.run_processor('${job}', 1)`),
      'a run by hand': () => runProcessor(cron, it_.settings, job, 5),
      'a run in one transaction': sql(cron, `SELECT partitioncache.process_batch('${job}', 5)`),
      ...Object.fromEntries(
        [
          'delete_idle_attempts()',
          'has_runs()',
          'cancel_overdue()',
          'release_results()',
          'share_waiting()',
          'release_dead_batches()',
          'publish_running()',
          'delete_old_log(1000)',
          'delete_cached_duplicates(0, 5000)',
          'maintenance_goes_on(now(), now())',
        ].map((call) => [call, sql(cron, `SELECT partitioncache.${call}`)]),
      ),
    });
    expect(await it_.victims()).toEqual([]);
    expect(refused).toContain('a run by hand');
  });

  it.each(processed)('%s: nothing that the migrator does uses it', async (table) => {
    await replace(table, plant);
    const { settings, work } = it_;
    const refused = await attemptAll({
      processors: () => readProcessors(work, settings),
      depth: () => readQueueDepth(work, settings),
      throughput: () => readThroughput(work, settings),
      failures: () => readFailures(work, settings),
      known: () => readKnownFragments(work, settings),
      retry: () => retryFragments(work, settings, { statuses: ['failed'] }),
      'retry, dry': () =>
        retryFragments(work, settings, { statuses: ['failed'] }, { dryRun: true }),
      active: sql(work, 'SELECT * FROM partitioncache.active_items'),
      pending: sql(work, 'SELECT * FROM partitioncache.sync_pending'),
      sync: () => sync(settings, wait),
      configure: () =>
        configureProcessor(settings, wait, (client) =>
          setProcessor(client, settings, job, { timeoutSeconds: 60 }),
        ),
      bootstrap: sql(
        it_.app,
        "SELECT partitioncache.bootstrap_partition('made', 'integer', NULL, false)",
      ),
      down: () =>
        down(settings, {
          streams: ['work', 'cron'],
          extent: { all: true },
          confirm: async () => false,
          drainSeconds: 1,
          log: () => {},
          ...wait,
        }),
    });
    expect(await it_.victims()).toEqual([]);
    expect(refused.length).toBeGreaterThan(0);

    const said = await foreignTables(settings);
    expect(said).toMatchObject({ status: 'failed' });
    expect(said.detail).toContain(tablesOf(settings)[table].split('.')[1]);
    expect(said.remedy).not.toMatch(/GRANT |OWNER TO/);
    // As verify has it: whatever rows it holds are kept.
    expect(said.remedy).toMatch(/ALTER (VIEW|TABLE) .* RENAME TO "replaced_/);
    expect(said.remedy).not.toMatch(/DROP (VIEW|TABLE)/);
    expect(await it_.victims()).toEqual([]);
  });
});

it('all is well again once they are dropped', async () => {
  expect(await foreignTables(it_.settings)).toMatchObject({ status: 'ok' });
  await runProcessor(it_.cronRole, it_.settings, job, 10);
  const { rows } = await it_.app.query(
    `SELECT status FROM ${tablesOf(it_.settings).queries} WHERE query_hash = 'h'`,
  );
  expect(rows).toEqual([{ status: 'ok' }]);
});
