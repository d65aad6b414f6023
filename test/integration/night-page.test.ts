import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import {
  connectAs,
  createSite,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

// Each line that "At 3 a.m." tells to type is typed, and does what the page says of it.

const page = readFileSync('docs/operations.md', 'utf8');
const section = page.slice(page.indexOf('## At 3 a.m.'), page.indexOf('## What down keeps'));

/** Code that can be typed: a command, also without its `npx pcache-migrate`, or SQL. */
const onPage = [...section.matchAll(/`([^`]+)`/g)]
  .map(([, code]) => (code as string).replace(/^npx pcache-migrate /, ''))
  .filter((code) => !code.endsWith('…'))
  .filter((code) => /^(?:SELECT|DROP) |^(?:up|down|processor) --?|^[a-z]+ .*--|^down --/.test(code))
  .concat([...section.matchAll(/`npx pcache-migrate ([^`]+)`/g)].map(([, code]) => code as string));

describe.skipIf(inject('runtime').kind === 'local')('At 3 a.m.', () => {
  let site: TestSite;
  let migrator: pg.Client;
  let cronRole: pg.Client;
  let app: pg.Client;
  let tables: ReturnType<typeof tablesOf>;

  beforeAll(async () => {
    site = await createSite();
    await setUp(site.settings(), { parallel: 1, frequencySeconds: 3600 });
    tables = tablesOf(site.settings());
    migrator = await connectAs(site.settings().work);
    cronRole = await connectAs({ ...site.settings().cron, database: site.database });
    app = await connectAs(site.settings().client);
  });

  async function type(line: string, code = 0): Promise<string> {
    const ran = await cli(line.split(' '), { env: site.environment(), now: () => new Date() });
    expect(ran.code, ran.stdout + ran.stderr).toBe(code);
    return ran.stdout;
  }

  const one = async (sql: string) => Object.values((await migrator.query(sql)).rows[0] ?? {})[0];
  const queue = (query: string) =>
    enqueue(app, site.settings(), [{ hash: query, key: 'zipcode', datatype: 'integer', query }]);
  const isQueued = async (hash: string) =>
    (await migrator.query(`SELECT FROM ${tables.fragmentQueue} WHERE hash = $1`, [hash]))
      .rowCount === 1;
  const holds = () => one('SELECT count(*)::int FROM partitioncache.holds_1');
  const processor = (column: string) => one(`SELECT ${column} FROM ${tables.processorConfig}`);
  const isThere = (table: string) => one(`SELECT to_regclass('${table}') IS NOT NULL`);
  const jobs = async () =>
    (await cronJobs()).filter((name) => name?.startsWith(`partitioncache_${site.database}`));
  const cronJobs = async (): Promise<(string | null)[]> => {
    const cron = await connectAs(site.settings().cron);
    const { rows } = await cron.query('SELECT jobname FROM cron.job');
    return rows.map(({ jobname }) => jobname);
  };

  async function failed(table: string): Promise<string> {
    const query = `SELECT zipcode FROM ${table}`;
    await queue(query);
    await type('processor run', 1);
    expect(await isQueued(query)).toBe(false);
    return query;
  }

  const cases: Readonly<Record<string, () => Promise<void>>> = {
    'pause --reason <why>': async () => {
      await type('pause --reason why');
      expect(await holds()).toBe(1);
    },
    "SELECT partitioncache.pause_1('why');": async () => {
      await migrator.query("SELECT partitioncache.pause_1('why');");
      expect(await holds()).toBe(1);
    },
    resume: async () => {
      await type('pause');
      await type('resume');
      expect(await holds()).toBe(0);
    },
    'SELECT partitioncache.resume_1();': async () => {
      await type('pause');
      await migrator.query('SELECT partitioncache.resume_1();');
      expect(await holds()).toBe(0);
    },
    'processor status': async () => {
      await failed('shops');
      expect(await type('processor status')).toContain('42P01');
    },
    status: async () => expect(await type('status')).toContain('Up to date'),
    verify: async () => expect(await type('verify')).toContain('As the releases left it'),
    doctor: async () => expect(await type('doctor')).toContain('Ready'),
    sync: async () => {
      const cron = await connectAs(site.settings().cron);
      await cron.query('SELECT cron.unschedule(min(jobid)) FROM cron.job');
      await type('sync');
      expect(await jobs()).toHaveLength(4);
    },
    "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = '<name>';": async () => {
      const cron = await connectAs(site.settings().cron);
      await cron.query(
        `SELECT cron.schedule_in_database('of another', '0 0 1 1 *', 'SELECT 1', '${site.database}')`,
      );
      expect(await type('status', 3)).toContain('of another');
      await cron.query("SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = 'of another';");
      await type('status');
    },
    'SELECT * FROM partitioncache.active_items;': () => cancelled(),
    'SELECT pg_cancel_backend(<pid>);': () => cancelled(),
    'processor set --timeout 5': async () => {
      await type('processor set --timeout 5');
      expect(await processor('timeout_seconds')).toBe(5);
    },
    'processor retry': async () => {
      const hash = await failed('malls');
      await type('processor retry');
      expect(await isQueued(hash)).toBe(true);
    },
    'processor set --parallel 1 --frequency 30': async () => {
      await type('processor set --parallel 1 --frequency 30');
      expect(await processor('frequency_seconds')).toBe(30);
    },
    up: async () => {
      await type('down --stream cron --all');
      await type('up');
      expect(await jobs()).toHaveLength(3);
    },
    'processor run --count 1000': async () => {
      await queue('SELECT zipcode FROM pois');
      await type('processor run --count 1000');
      expect(await isQueued('SELECT zipcode FROM pois')).toBe(false);
    },
    history: async () => expect(await type('history')).toContain('done'),
    down: async () => {
      await anew();
      await type('down');
      expect(await isThere(tables.fragmentQueue)).toBe(false);
    },
    'down --dry-run': async () => {
      expect(await type('down --dry-run', 3)).toContain('to roll back');
      expect(await isThere(tables.fragmentQueue)).toBe(true);
    },
    'down --to <release or version>': async () => {
      await anew();
      await type('down --stream cron --all');
      await type('up');
      expect(await type('history')).toMatch(/^2 /m);
      await type('down --to 1');
      expect(await jobs()).toEqual([]);
    },
    'down --stream cron --all': async () => {
      await type('down --stream cron --all');
      expect(await jobs()).toEqual([]);
      expect(await isThere(tables.fragmentQueue)).toBe(true);
    },
    'down --stream work': async () => {
      await type('down --stream cron --all');
      await type('down --stream work --all');
    },
    'down --stream work --all': async () => {
      await type('down --stream cron --all');
      await type('down --stream work --all');
      expect(await isThere(tables.fragmentQueue)).toBe(false);
    },
    'down --all': async () => {
      await queue('SELECT kept');
      await type('down --all');
      await type('up');
      expect(await isQueued('SELECT kept')).toBe(true);
    },
    'down --all --drop-data': async () => {
      await queue('SELECT dropped');
      await type('down --all --drop-data --yes');
      await type('up');
      expect(await isQueued('SELECT dropped')).toBe(false);
    },
    'DROP SCHEMA partitioncache_kept CASCADE;': async () => {
      await queue('SELECT dropped');
      await type('down --all');
      await migrator.query('DROP SCHEMA partitioncache_kept CASCADE;');
      await type('up');
      expect(await isQueued('SELECT dropped')).toBe(false);
    },
  };

  /** With one release, which is all that is applied. */
  async function anew(): Promise<void> {
    await type('down --all');
    await type('up');
  }

  /** Finds what hangs, and cancels it as the cron role. */
  async function cancelled(): Promise<void> {
    const query = 'SELECT zipcode FROM pois, pg_sleep(60)';
    await queue(query);
    const run = cli(['processor', 'run'], { env: site.environment(), now: () => new Date() });
    const pid = await waitFor(
      'the fragment at work',
      async () => (await cronRole.query('SELECT * FROM partitioncache.active_items;')).rows[0]?.pid,
      { deadlineMs: 20_000 },
    );
    await cronRole.query(`SELECT pg_cancel_backend(${pid});`);
    await run;
    expect(await isQueued(query)).toBe(true);
  }

  it.each(Object.keys(cases))('`%s`', async (line) => {
    try {
      await cases[line]?.();
    } finally {
      await type('up');
      await type('resume');
      await setUp(site.settings(), { parallel: 1, frequencySeconds: 3600 });
      // What one case has queued must not be worked on in the next.
      await migrator.query(`DELETE FROM ${tables.fragmentQueue}`);
    }
  });

  it('tells to type nothing else', () => {
    expect([...new Set(onPage)].sort()).toEqual(Object.keys(cases).sort());
  });
});
