import type pg from 'pg';
import { expect } from 'vitest';
import { deploymentTables } from '../../../src/deployment/placeholder-values.js';
import { defaultJobName } from '../../../src/processor/default-job-name.js';
import type { Settings } from '../../../src/settings/settings.js';
import { adminClient } from '../../harness/databases.js';
import { connectAs, createSite, setUp, type TestSite, tablesOf } from '../../harness/deployment.js';
import { waitFor } from '../../harness/wait-for.js';
import { accomplices } from './accomplices.js';
import type { Attack } from './attack.js';

/** A deployment with everything that an attacker may have prepared, and a view of the results from outside. */
export interface Bench {
  readonly site: TestSite;
  readonly settings: Settings;
  readonly job: string;
  readonly admin: pg.Client;
  readonly app: pg.Client;
  readonly serverVersion: number;
  /** What arrived on the channel that the attacks notify. */
  readonly notifications: string[];
}

/** Whose rights fragments have: those of a role of their own, or those of whoever processes them. */
export const LAYOUTS = ['with a fragment role', 'without a fragment role'] as const;
export type Layout = (typeof LAYOUTS)[number];

/** How several fragments come to be worked on in one session. */
export type Way = 'slot' | 'manual';

export interface Item {
  readonly hash: string;
  readonly key: string;
  readonly datatype: string | null;
  readonly query: string;
}

export interface Run {
  /** The session before and after, as attack.session_state shows it. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly notices: readonly string[];
  readonly error: Error | undefined;
}

/** A bench on which only the tests' own sessions work: pg_cron has no job for the processor. */
export async function openBench(layout: Layout): Promise<Bench> {
  const bench = await openSite(layout, { enable: false });
  await bench.admin.query(`
    ALTER TABLE ${tablesOf(bench.settings).processorConfig} DISABLE TRIGGER pcache_sync_cron;
    ${endOfRun(bench.settings)}`);
  // The cache tables are created with the first fragment of their key: from then on, every run is like the others.
  await runTogether(bench, 'slot', [
    { hash: 'first', key: 'zipcode', datatype: 'integer', query: 'SELECT 4711' },
    { hash: 'first label', key: 'label', datatype: 'text', query: "SELECT 'a'::text" },
    probe('first state, at last'),
  ]);
  return bench;
}

/** Like openBench, but the processor is enabled: pg_cron's own jobs drain the queue. */
export async function openSite(layout: Layout, { enable }: { enable: boolean }): Promise<Bench> {
  const site = await createSite({ fragmentRole: layout === 'with a fragment role' });
  const settings = site.settings();
  await setUp(settings, { enable, parallel: 1, frequencySeconds: 1 });
  const admin = await adminClient(site.database);
  await admin.query(accomplices);
  await admin.query(`
    ALTER ROLE ${site.cronRole.name} NOINHERIT;
    ALTER ROLE ${site.app.name} NOINHERIT;
    GRANT ${site.migrator.name} TO ${site.cronRole.name}, ${site.app.name};`);
  const notifications: string[] = [];
  admin.on('notification', ({ payload }) => notifications.push(payload ?? ''));
  await admin.query('LISTEN attack');
  const { rows } = await admin.query(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  return {
    site,
    settings,
    job: defaultJobName(settings),
    admin,
    app: await connectAs(settings.client),
    serverVersion: rows[0].version,
    notifications,
  };
}

// A slot's run keeps polling for up to a minute when the queue is empty. This ends it with its last fragment. It is
// the migrator's and in the clients' schema: a run does not use a log on which there is somebody else's trigger.
function endOfRun(settings: Settings): string {
  const { processorConfig, processorLog } = tablesOf(settings);
  const { work } = settings;
  return `
    CREATE FUNCTION public.end_run() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      UPDATE ${processorConfig} SET enabled = false WHERE enabled;
      RETURN NULL;
    END $$;
    CREATE TRIGGER end_run AFTER INSERT ON ${processorLog}
      FOR EACH ROW WHEN (NEW.query_hash LIKE '%, at last') EXECUTE FUNCTION public.end_run();
    ALTER FUNCTION public.end_run() OWNER TO ${work.user};`;
}

/** Processes these fragments, in this order, in one session of its own: as a job of pg_cron does, or as a client does by hand. */
export async function runTogether(bench: Bench, way: Way, items: readonly Item[]): Promise<Run> {
  await enqueueInOrder(bench, items);
  return runQueued(bench, way);
}

/** Processes what is queued, as runTogether does. */
export async function runQueued(bench: Bench, way: Way): Promise<Run> {
  const session = await openSession(bench, way);
  const notices: string[] = [];
  session.on('notice', ({ message }) => notices.push(message ?? ''));
  const before = await sessionState(session);
  let error: Error | undefined;
  try {
    await work(bench, way, session);
  } catch (thrown) {
    error = thrown as Error;
  }
  const after = error === undefined ? await sessionState(session) : [];
  await session.end();
  await enable(bench, false);
  await deliverNotifications(bench);
  return { before, after, notices, error };
}

export async function openSession({ settings }: Bench, way: Way): Promise<pg.Client> {
  const session = await connectAs(
    way === 'slot' ? { ...settings.cron, database: settings.work.database } : settings.client,
  );
  // PL/pgSQL adds settings of its own when it is first used.
  await session.query('DO $$ BEGIN END $$');
  return session;
}

async function work(bench: Bench, way: Way, session: pg.Client): Promise<void> {
  if (way === 'manual') {
    await session.query('SELECT partitioncache_manual_process_queue(10)');
    return;
  }
  await enable(bench, true);
  await session.query('CALL partitioncache.run_processor($1, 1)', [bench.job]);
}

export async function enable({ admin, settings }: Bench, enabled: boolean): Promise<void> {
  await admin.query(`UPDATE ${tablesOf(settings).processorConfig} SET enabled = $1`, [enabled]);
}

/** One after the other by priority, whatever order the queue keeps within one. */
export async function enqueueInOrder({ app, settings }: Bench, items: readonly Item[]) {
  const { rows } = await app.query(
    'SELECT status FROM non_blocking_fragment_queue_batch_upsert($1, $2, $3, $4, $5, $6)',
    [
      items.map(({ hash }) => hash),
      items.map(({ key }) => key),
      items.map(({ datatype }) => datatype),
      items.map(({ query }) => query),
      items.map((_, i) => items.length - i),
      deploymentTables(settings).fragmentQueue,
    ],
  );
  expect(rows).toEqual(items.map(() => ({ status: 'inserted' })));
}

async function sessionState(session: pg.Client): Promise<string[]> {
  const { rows } = await session.query(
    `SELECT line FROM attack.session_state
     UNION ALL SELECT format('in a transaction: %s', now() <> statement_timestamp())
     ORDER BY 1`,
  );
  return rows.map(({ line }) => line);
}

// Notifications come in the order of their commits: when this one is here, so are those before it.
async function deliverNotifications({ admin, notifications }: Bench): Promise<void> {
  await admin.query("NOTIFY attack, 'delivered'");
  await waitFor('a notification', async () => notifications.includes('delivered'), {
    deadlineMs: 20_000,
  });
  notifications.splice(notifications.indexOf('delivered'), 1);
}

/** How a fragment ended, in one line: its status, and its error if it has one; undefined while it has not ended. */
export async function outcomeOf(
  { admin, settings }: Bench,
  hash: string,
): Promise<string | undefined> {
  const { processorLog, queries } = tablesOf(settings);
  const { rows } = await admin.query(
    `SELECT known.status || coalesce(': ' || log.error_message, '') AS outcome
       FROM ${processorLog} AS log LEFT JOIN ${queries} AS known USING (query_hash, partition_key)
      WHERE query_hash = $1 AND log.status <> 'started'`,
    [hash],
  );
  expect(rows.length, `log rows of ${hash}`).toBeLessThanOrEqual(1);
  return rows[0]?.outcome;
}

/** The cached set of a fragment, or undefined when there is none. */
export async function keysOf({ admin }: Bench, key: string, hash: string) {
  const { rows } = await admin.query(
    `SELECT partition_keys AS keys FROM "my_cache_cache_${key.replaceAll('"', '""')}" WHERE query_hash = $1`,
    [hash],
  );
  return rows[0]?.keys;
}

/** What is in the database, except the results of these fragments. */
export async function worldOf({ admin }: Bench, hashes: readonly string[]): Promise<string[]> {
  const { rows } = await admin.query('SELECT line FROM attack.world($1) AS line ORDER BY 1', [
    hashes,
  ]);
  return rows.map(({ line }) => line);
}

export async function queueOf({ admin, settings }: Bench): Promise<string[]> {
  const { rows } = await admin.query(
    `SELECT hash FROM ${tablesOf(settings).fragmentQueue} ORDER BY hash`,
  );
  return rows.map(({ hash }) => hash);
}

export async function emptyQueue({ admin, settings }: Bench): Promise<void> {
  await admin.query(`DELETE FROM ${tablesOf(settings).fragmentQueue}`);
}

/** Forgets what became of these fragments, as an eviction does, and takes them out of the queue. */
async function forget({ admin, settings }: Bench, hashes: readonly string[]) {
  const { fragmentQueue, processorLog, queries } = tablesOf(settings);
  await admin.query(`DELETE FROM ${fragmentQueue} WHERE hash = ANY ($1)`, [hashes]);
  for (const table of [
    processorLog,
    queries,
    'my_cache_cache_zipcode',
    'my_cache_cache_label',
    'my_cache_cache_session',
  ]) {
    await admin.query(`DELETE FROM ${table} WHERE query_hash = ANY ($1)`, [hashes]);
  }
}

// Slow enough that the processor ends its transaction with it, even if quick fragments share one: what comes after it
// shows what outlasted that transaction.
const canaryQuery = 'SELECT zipcode FROM pois, pg_catalog.pg_sleep(0.1) WHERE id <= 40';

export function canary(hash: string): Item {
  return { hash, key: 'zipcode', datatype: 'integer', query: canaryQuery };
}

/** A fragment whose keys are the state of the session in which it is evaluated. */
export function probe(hash: string): Item {
  return {
    hash,
    key: 'session',
    datatype: 'text',
    query: 'SELECT line FROM attack.session_state',
  };
}

/** What canary and probe find in a session in which nothing ran before them. */
export interface Clean {
  readonly canary: readonly number[];
  readonly probe: readonly string[];
}

export async function cleanRun(bench: Bench, way: Way): Promise<Clean> {
  const last = `clean ${way}, at last`;
  const items = [canary(`clean ${way}`), canary(`clean ${way}, then`), probe(last)];
  const run = await runTogether(bench, way, items);
  expect(run).toMatchObject({ error: undefined, notices: [], after: run.before });
  const { rows } = await bench.admin.query(
    `SELECT DISTINCT zipcode FROM (${canaryQuery}) AS direct WHERE zipcode IS NOT NULL ORDER BY 1`,
  );
  const state: string[] = await keysOf(bench, 'session', last);
  expect(state.length).toBeGreaterThan(100);
  return { canary: rows.map(({ zipcode }) => zipcode), probe: state };
}

/**
 * Has the attack, the canary and the probe processed together. Fails unless the attack ended as described, the other
 * two found nothing changed, and nothing in the session or the database differs from before.
 */
export async function withstand(bench: Bench, way: Way, clean: Clean, attack: Attack) {
  const hash = `${attack.name} (${way})`;
  const then = `${hash}, then`;
  const last = `${hash}, at last`;
  const hashes = [hash, then, last];
  const key = attack.key ?? 'zipcode';
  const item = {
    hash,
    key,
    datatype: key === 'label' ? 'text' : 'integer',
    query: attack.query,
  };
  const world = await worldOf(bench, hashes);
  try {
    const run = await runTogether(bench, way, [item, canary(then), probe(last)]);
    expect(run.error).toBe(undefined);

    const outcome = await outcomeOf(bench, hash);
    const keys = await keysOf(bench, key, hash);
    const error = expectedError(bench, attack);
    if (error === undefined) {
      expect(outcome).toBe('ok');
      expectKeys(keys, attack);
    } else {
      if (typeof error === 'string') expect(outcome).toBe(`failed: ${error}`);
      else expect(outcome).toMatch(new RegExp(`^failed: (${error.source})`));
      expect(keys).toBe(undefined);
    }

    expect(await outcomeOf(bench, then)).toBe('ok');
    expect(await keysOf(bench, 'zipcode', then)).toEqual(clean.canary);
    expect(await outcomeOf(bench, last)).toBe('ok');
    expectSame(clean.probe, await keysOf(bench, 'session', last));

    expectSame(run.before, run.after);
    expect(attack.mayInform ? [] : run.notices).toEqual([]);
    expect(bench.notifications).toEqual([]);
    expect(await queueOf(bench)).toEqual([]);
    expectSame(world, await worldOf(bench, hashes));
  } finally {
    bench.notifications.length = 0;
    await forget(bench, hashes);
  }
}

function expectSame(before: readonly string[], after: readonly string[]): void {
  const changes = [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
  expect(changes, changes.join('; ')).toEqual([]);
}

function expectedError(
  { serverVersion, site }: Bench,
  attack: Attack,
): string | RegExp | undefined {
  if (site.fragmentRole !== undefined && attack.errorInRole !== undefined)
    return attack.errorInRole;
  if ('error' in attack) return attack.error;
  const { refusedFrom } = attack;
  return refusedFrom && serverVersion >= refusedFrom.version ? refusedFrom.error : undefined;
}

function expectKeys(keys: readonly number[], attack: Attack): void {
  if ('error' in attack) return;
  if ('count' in attack.keys) expect(keys.length).toBe(attack.keys.count);
  else expect(keys).toEqual(attack.keys);
}
