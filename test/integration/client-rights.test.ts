import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/settings/settings.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  deploy,
  enqueue,
  type SiteOptions,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';

/** All that a client may read in the package's own schema, and nothing there may it write. */
const READABLE = [
  'active_items',
  'claims',
  'failures',
  'held_back',
  'holds_1',
  'known_fragments',
  'processor_status',
  'queue_depth',
  'service',
  'throughput',
];

const SECRET = ['attempt', 'batch', 'deployment', 'settings', 'slot', 'applied_job', 'migration'];

describe.each<[string, string, (single: () => Promise<SiteOptions>) => Promise<SiteOptions>]>([
  ['cross mode, transport deploy', 'postgresql_array', async () => ({})],
  ['cross mode, transport link', 'postgresql_bit', async () => ({ link: true })],
  ['single mode', 'postgresql_array', (single) => single()],
])('a client in %s', (_, backend, options) => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;

  beforeAll(async () => {
    site = await createSite(await options(singleCluster));
    settings = site.settings({ CACHE_BACKEND: backend, PG_BIT_CACHE_TABLE_PREFIX: 'my_cache' });
    await deploy(settings);
    admin = await adminClient(site.database, site.cluster);
    return () => admin.end();
  });

  it('has no right on any table, sequence or column of our schemas but to read these views', async () => {
    expect(await rightsIn(admin)).toEqual(
      READABLE.map((name) => ({ name, kind: 'v', role: site.app.name, privilege: 'SELECT' })),
    );
    if (settings.mode === 'single') return;
    const cron = await adminClient(settings.cron.database, site.cluster);
    expect(await rightsIn(cron)).toEqual([]);
    await cron.end();
  });

  /** What the client, or everybody, was granted on relations of the package's own schemas in this database. */
  async function rightsIn(database: pg.Client) {
    const { rows } = await database.query(
      `SELECT relation.relname AS name, relation.relkind::text AS kind, acl.grantee::regrole::text AS role,
              acl.privilege_type AS privilege
         FROM pg_class AS relation
         CROSS JOIN LATERAL (
           SELECT * FROM aclexplode(relation.relacl)
           UNION ALL
           SELECT acl.* FROM pg_attribute CROSS JOIN aclexplode(attacl) AS acl WHERE attrelid = relation.oid
         ) AS acl
        WHERE relation.relnamespace IN (to_regnamespace('partitioncache'), to_regnamespace($2))
          AND acl.grantee IN (0, $1::regrole)
        ORDER BY relation.relname COLLATE "C"`,
      [site.app.name, settings.cronSchema],
    );
    return rows;
  }

  it('is refused every table by the server itself, and writing to the views', async () => {
    const app = await connectAs(settings.client);
    const { rows } = await admin.query(
      `SELECT relname AS name FROM pg_class
        WHERE relnamespace = 'partitioncache'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
    );
    const tables = rows.map(({ name }) => name as string);
    for (const known of SECRET) expect(tables.join()).toContain(known);
    for (const table of tables) {
      for (const statement of [`SELECT FROM $`, `DELETE FROM $`, 'INSERT INTO $ DEFAULT VALUES']) {
        await expect(
          app.query(statement.replace('$', `partitioncache.${table}`)),
          `${statement} ${table}`,
        ).rejects.toMatchObject({ code: '42501' });
      }
    }
    for (const view of READABLE) {
      await app.query(`SELECT FROM partitioncache.${view}`);
      await expect(app.query(`DELETE FROM partitioncache.${view}`)).rejects.toMatchObject({
        code: expect.stringMatching(/^(42501|55000)$/),
      });
    }
  });

  it('may execute what its own functions and views call, and nothing that claims or runs slots', async () => {
    const { rows } = await admin.query(
      `SELECT proname AS name FROM pg_proc
        WHERE pronamespace = 'partitioncache'::regnamespace
          AND has_function_privilege($1, oid, 'EXECUTE') ORDER BY proname COLLATE "C"`,
      [site.app.name],
    );
    expect(rows.map(({ name }) => name)).toMatchInlineSnapshot(`
      [
        "active_item_rows",
        "bits_needed",
        "bootstrap_partition",
        "cache_table_name",
        "check_slots",
        "clocks",
        "confirm_skip",
        "datatype_for",
        "datatype_of_result",
        "delete_locked",
        "dense_key_bits",
        "evaluate_item",
        "failures_within",
        "finish",
        "fit_to_bits",
        "fit_to_datatype",
        "foreign_parts",
        "fragment_text",
        "hold_caches",
        "hold_own_tables",
        "is_cached",
        "is_held",
        "is_overdue",
        "is_plainly_closed",
        "items_of",
        "judge_cancel",
        "key_bits",
        "keys_expression",
        "known_fragment_rows",
        "lock_again",
        "lock_claimable",
        "lock_own",
        "lock_unclaimed",
        "log_attempt",
        "manual_context",
        "probe_fragment",
        "process_batch",
        "process_chunk",
        "process_locked",
        "processor_named",
        "processor_status_rows",
        "provide_cache_table",
        "put_back",
        "queue_depth_rows",
        "reason_of_failure",
        "require_datatype",
        "require_fragment_role",
        "require_no_hold",
        "require_own",
        "restore_session",
        "retry_fragments",
        "roaringbitmap_schema",
        "run_fragment",
        "running_class",
        "session_locks",
        "settle_each",
        "settle_one",
        "settle_results",
        "skipped",
        "sparse_key_bits",
        "store_and_settle",
        "store_partition",
        "throughput_rows",
        "unlock_once",
        "widen_for",
        "widen_partition",
        "working_runs",
      ]
    `);
  });
});

async function singleCluster(): Promise<SiteOptions> {
  const cluster = await startOwnCluster({ cronDatabase: 'all_in_one' });
  const creator = await adminClient('postgres', cluster);
  await creator.query('CREATE DATABASE all_in_one');
  await creator.end();
  const admin = await adminClient('all_in_one', cluster);
  await admin.query('CREATE EXTENSION pg_cron');
  await admin.end();
  return { cluster, cronDatabase: 'all_in_one', database: 'all_in_one' };
}

describe('a client that wants to freeze the queue', () => {
  let settings: Settings;
  let app: pg.Client;
  let runner: pg.Client;
  let work: pg.Client;
  let queue: string;

  beforeAll(async () => {
    const site = await createSite();
    settings = site.settings();
    await setUp(settings, { enable: true, parallel: 1, frequencySeconds: 3600 });
    app = await connectAs(settings.client);
    work = await connectAs(settings.work);
    runner = await connectAs({ ...settings.cron, database: site.database });
    queue = tablesOf(settings).fragmentQueue;
    await enqueue(
      app,
      settings,
      Array.from({ length: 20 }, (_, n) => ({
        hash: `h${n}`,
        key: 'zipcode',
        datatype: 'integer',
        query: `SELECT zipcode FROM pois WHERE id = ${n}`,
      })),
    );
  });

  const ids = () => `(SELECT array_agg(id) FROM ${queue})`;

  it.each([
    [
      'claims in the table',
      () => `INSERT INTO partitioncache.batch (lock_key, pid, queue_ids, alone)
       SELECT 1, pg_backend_pid(), array_agg(id), false FROM ${queue}`,
    ],
    ['claims in the view', () => `INSERT INTO partitioncache.claims (queue_ids) VALUES (${ids()})`],
    ['claims by function', () => `SELECT partitioncache.insert_batch(1, ${ids()}, false)`],
    ['a batch', () => 'SELECT partitioncache.claim_batch(1, 1000, NULL, NULL)'],
    ['a suspect', () => 'SELECT partitioncache.claim_suspect(1)'],
    ['a fragment by hand', () => "SELECT partitioncache.claim_by_hand('p', 1)"],
    ['a durable run by hand', () => "CALL partitioncache.process_now('p', NULL)"],
    ['a slot', () => "SELECT partitioncache.open_slot('p', 1)"],
    ['a slot’s end', () => 'SELECT partitioncache.close_slot(1)'],
    ['a run', () => "CALL partitioncache.run_processor('p', 1)"],
    ['a release', () => 'SELECT partitioncache.release_dead_batches()'],
    [
      'all as suspects',
      () => `INSERT INTO partitioncache.attempt
       SELECT hash, partition_key, 2, 'infinity', 'x', true FROM ${queue}`,
    ],
    ['a wait for ever', () => "UPDATE partitioncache.held_back SET not_before = 'infinity'"],
    ['slots that are never due', () => "UPDATE partitioncache.slot SET next_due = 'infinity'"],
    [
      'a longer backoff',
      () => 'UPDATE partitioncache.settings SET retry_backoff_seconds = 9999999',
    ],
    ['a longer backoff by the view', () => 'UPDATE partitioncache.service SET max_slots = 0'],
    ['another backend', () => "UPDATE partitioncache.deployment SET cache_backend = 'bit'"],
  ])('is denied %s', async (_, statement) => {
    await expect(app.query(statement())).rejects.toMatchObject({
      code: expect.stringMatching(/^(42501|55000)$/),
    });
  });

  it('cannot with what it may call: nothing of that outlives its transaction', async () => {
    const names = await work.query(`SELECT job_name FROM ${tablesOf(settings).processorConfig}`);
    const [{ job_name: job }] = names.rows;
    const run = `partitioncache.manual_context('${job}')`;
    const items = `partitioncache.items_of(${ids()})`;
    for (const statement of [
      "SELECT partitioncache.lock_claimable(NULL, NULL, 1000, '{}')",
      "SELECT partitioncache.lock_unclaimed(NULL, NULL, 1000, '{}')",
      `SELECT ${items}`,
      `SELECT partitioncache.put_back(
         ROW(item, 'put_back', 'x', now(), now(), NULL, NULL, NULL, NULL, NULL, 0), '100 years', 9,
         ROW('${job}', 1, 'cron', false, NULL, NULL, NULL, NULL))
         FROM unnest(${items}) AS item`,
      `SELECT partitioncache.process_chunk(${items}, 21, ${run})`,
      `SELECT partitioncache.process_batch('${job}', 0)`,
    ]) {
      await app.query(statement);
    }
    // A client may make up a context of a session of its own, which writes to the tables.
    for (const own of [
      `SELECT partitioncache.process_chunk(${items}, 1,
         ROW('${job}', 1, 'cron', true, NULL, NULL, NULL, NULL))`,
      `SELECT partitioncache.put_back(
         ROW(item, 'put_back', 'x', now(), now(), NULL, NULL, NULL, NULL, NULL, 0), '100 years', 9,
         ROW('${job}', 1, 'cron', true, NULL, NULL, NULL, NULL))
         FROM unnest(${items}) AS item`,
    ]) {
      await expect(app.query(own)).rejects.toMatchObject({ code: '42501' });
    }
    await runner.query('CALL partitioncache.run_processor($1, 1)', [job]);
    const { rows } = await work.query(
      `SELECT (SELECT count(*)::int FROM ${queue}) AS queued,
              (SELECT count(*)::int FROM ${tablesOf(settings).queries} WHERE status = 'ok') AS cached`,
    );
    expect(rows).toEqual([{ queued: 0, cached: 20 }]);
  });
});
