import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient, dropDatabase } from '../harness/databases.js';
import { connectAs, createSite, setUp } from '../harness/deployment.js';
import { type Random, seededRandom } from '../harness/random.js';

/** All that the name of a job may depend on. */
interface Job {
  database: string;
  schema: string;
  tablePrefix: string;
  /** null: a job of the deployment itself. */
  processor: string | null;
  role: string;
}

const SHOP: Job = {
  database: 'shop',
  schema: 'partitioncache',
  tablePrefix: 'my_cache',
  processor: null,
  role: 'maintenance',
};
const DEFAULT = 'partitioncache_process_queue_shop_mycache';
const LONG = 'w'.repeat(60);

let settings: Settings;
let work: pg.Client;

beforeAll(async () => {
  settings = (await createSite()).settings();
  await setUp(settings, { parallel: 2 });
  work = await connectAs(settings.work);
});

async function namesOf(jobs: readonly Job[]): Promise<string[]> {
  const { rows } = await work.query(
    `SELECT partitioncache.cron_job_name(job ->> 'processor', job ->> 'role', job ->> 'database',
                                         job ->> 'schema', job ->> 'tablePrefix') AS name
       FROM jsonb_array_elements($1) WITH ORDINALITY AS given (job, position) ORDER BY position`,
    [JSON.stringify(jobs)],
  );
  return rows.map(({ name }) => name);
}

async function nameOf(changes: Partial<Job>): Promise<string | undefined> {
  const [name] = await namesOf([{ ...SHOP, ...changes }]);
  return name;
}

const slot = (processor: string, changes: Partial<Job> = {}) => ({
  processor,
  role: '2',
  ...changes,
});

describe('the name of a job', () => {
  it('of this deployment is that of its database, cache or role, and slot', async () => {
    const { rows } = await work.query(
      `SELECT job_name FROM partitioncache.applied_job ORDER BY job_name`,
    );
    const { database } = settings.work;
    expect(rows.map(({ job_name }) => job_name)).toEqual([
      `partitioncache_${database}_dispatch`,
      `partitioncache_${database}_history`,
      `partitioncache_${database}_maintenance`,
      `partitioncache_${database}_mycache_1`,
      `partitioncache_${database}_mycache_2`,
    ]);
  });

  it.each<[string, string, Partial<Job>]>([
    ['maintenance', 'partitioncache_shop_maintenance', {}],
    ['the history', 'partitioncache_shop_history', { role: 'history' }],
    ['dispatch', 'partitioncache_shop_dispatch', { role: 'dispatch' }],
    ['the default processor', 'partitioncache_shop_mycache_2', slot(DEFAULT)],
    ['another processor', 'partitioncache_shop_nightly_2', slot('nightly')],
    ['a processor that is named in words', 'partitioncache_shop_by night_2', slot('by night')],
    [
      'the default processor of the prefix partitioncache',
      'partitioncache_shop_default_2',
      slot('partitioncache_process_queue_shop_default', { tablePrefix: 'partitioncache' }),
    ],
    [
      'the default processor of a prefix that begins so',
      'partitioncache_shop_queuetwo_2',
      slot('partitioncache_process_queue_shop_queuetwo', {
        tablePrefix: 'partitioncache_queue_two',
      }),
    ],
    [
      'a database whose name has underscores',
      'partitioncache_a_b_mycache_2',
      slot('partitioncache_process_queue_a_b_mycache', { database: 'a_b' }),
    ],
  ])('of %s is plain', async (_, name, changes) => {
    expect(await nameOf(changes)).toBe(name);
  });

  it.each<[string, RegExp, Partial<Job>]>([
    ['another schema', /^shop_two_#_maintenance$/, { schema: 'partitioncache_two' }],
    ['another schema’s processor', /^shop_two_mycache_#_2$/, slot(DEFAULT, { schema: 'two' })],
    ['a processor with an underscore', /^shop_b_c_#_2$/, slot('b_c')],
    ['a processor without a name', /^shop__#_2$/, slot('')],
    ['a processor named as the default one’s label', /^shop_mycache_#_2$/, slot('mycache')],
    [
      'a processor that came from another database',
      /^shop_old_mycache_#_2$/,
      {
        ...slot('partitioncache_process_queue_old_mycache'),
      },
    ],
    [
      'a database that ends as a hash',
      /^x_0123456789ab_#_history$/,
      {
        database: 'x_0123456789ab',
        role: 'history',
      },
    ],
    ['a processor that looks like a hash', /^shop_0123456789ab_#_2$/, slot('0123456789ab')],
    [
      'what looks like the tool’s',
      /^processqueue_x_y_#_2$/,
      {
        ...slot('y'),
        database: 'process_queue_x',
      },
    ],
    [
      'what in its parts looks like it',
      /^processqueue_#_2$/,
      {
        ...slot('queue'),
        database: 'process',
      },
    ],
    ['a long database', /^w{33}_#_2$/, slot('nightly', { database: LONG })],
    ['a long processor', /^shop_w{28}_#_2$/, slot(LONG)],
    ['what is cut in a character', /^x(ü{16})_#_2$/, slot('y', { database: `x${'ü'.repeat(31)}` })],
  ])('of %s has a hash', async (_, pattern, changes) => {
    const name = await nameOf(changes);
    const expected = pattern.source.replace('^', '^partitioncache_').replace('#', '[0-9a-f]{12}');
    expect(name).toMatch(new RegExp(expected, 'u'));
    // Of all slots the same, so that a processor's jobs are found by it.
    if (changes.role === '2') {
      expect(await nameOf({ ...changes, role: '1' })).toBe(name?.replace(/_2$/, '_1'));
    }
  });

  it('is not that of a database or processor that is called as another’s hash', async () => {
    const jobs = [
      { ...SHOP, schema: 'two' },
      { ...SHOP, ...slot('b_c') },
    ];
    const [maintenance = '', processor = ''] = await namesOf(jobs);
    const [, database = ''] = /^partitioncache_(shop_two_.*)_maintenance$/.exec(maintenance) ?? [];
    expect(database).toMatch(/^shop_two_[0-9a-f]{12}$/);
    expect(await nameOf({ database })).not.toBe(maintenance);
    const [, hash = ''] = /^partitioncache_shop_b_c_(.*)_2$/.exec(processor) ?? [];
    expect(hash).toMatch(/^[0-9a-f]{12}$/);
    expect(await nameOf({ ...slot(hash), database: 'shop_b_c' })).not.toBe(processor);
  });

  it('is cut between characters also where the database has no encoding', async () => {
    const admin = await adminClient('postgres');
    await admin.query(
      "CREATE DATABASE job_names_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
    );
    await admin.end();
    const client = await adminClient('job_names_ascii');
    try {
      const source = new URL('../../routines/work/first_bytes.sql', import.meta.url);
      const text = await readFile(source, 'utf8');
      await client.query(
        text.replaceAll('{{schema}}', 'public').replaceAll('{{cron_role}}', 'CURRENT_USER'),
      );
      const { rows } = await client.query(
        "SELECT public.first_bytes('aü日😀', n) AS text FROM generate_series(0, 11) AS n",
      );
      expect(rows.map(({ text }) => text)).toEqual(
        ['', 'a', 'a', 'aü', 'aü', 'aü', 'aü日', 'aü日', 'aü日', 'aü日'].concat(
          ...['aü日😀', 'aü日😀'],
        ),
      );
    } finally {
      await client.end();
      await dropDatabase('job_names_ascii');
    }
  });
});

describe('the names of any jobs', () => {
  it('differ, fit 63 bytes and are never those of PartitionCache’s own tool', async () => {
    const random = seededRandom();
    const hint = `PCACHE_TEST_SEED=${random.seed}`;
    console.log(`job names: ${hint}`);
    const jobs = randomJobs(random);
    const names = await namesOf(jobs);
    expect(names, hint).toHaveLength(jobs.length);
    const prefixes = new Map(
      jobs
        .filter(({ schema }) => schema === 'partitioncache')
        .map(({ database, tablePrefix }) => [database, tablePrefix]),
    );
    const owners = new Map<string, Job>();
    let plain = 0;
    for (const [index, job] of jobs.entries()) {
      const name = names[index] as string;
      const context = `${hint}: ${name} of ${JSON.stringify(job)}`;
      expect(owners.get(name), context).toBeUndefined();
      owners.set(name, job);
      expect(name.startsWith('partitioncache_'), context).toBe(true);
      expect(name.startsWith('partitioncache_process_queue_'), context).toBe(false);
      expect(Buffer.byteLength(name), context).toBeLessThanOrEqual(63);
      expect(name, context).not.toContain('\ufffd');
      const read = readBack(name, prefixes);
      if (read !== undefined) expect(read, context).toEqual(job);
      plain += read === undefined ? 0 : 1;
    }
    expect(jobs.length, hint).toBeGreaterThan(5000);
    expect(plain, hint).toBeGreaterThan(1000);
    expect(plain, hint).toBeLessThan(jobs.length - 1000);
  });
});

/** What a name without a hash says; which prefix the deployment has, it does not. */
function readBack(name: string, prefixes: ReadonlyMap<string, string>): Job | undefined {
  if (/_[0-9a-f]{12}_[^_]+$/.test(name)) return undefined;
  const [, rest, role] = /^partitioncache_([\s\S]*)_([^_]+)$/.exec(name) ?? [];
  if (rest === undefined || role === undefined) return undefined;
  if (!/^\d+$/.test(role)) {
    const tablePrefix = prefixes.get(rest) ?? '';
    return { database: rest, schema: 'partitioncache', tablePrefix, processor: null, role };
  }
  const database = rest.slice(0, rest.lastIndexOf('_'));
  const label = rest.slice(rest.lastIndexOf('_') + 1);
  const tablePrefix = prefixes.get(database) ?? '';
  const own = defaultJobName({ tablePrefix, work: { ...settings.work, database } });
  const processor = own === `partitioncache_process_queue_${database}_${label}` ? own : label;
  return { database, schema: 'partitioncache', tablePrefix, processor, role };
}

const WORDS = [
  ...['a', 'b', 'c', '1', '2', 'x', '', '"', "'", '"a"', "it's", '\\', ' ', '.', '%s', 'A'],
  ...['ü', '日本', '😀', 'u\u0308', 'w'.repeat(61), '日'.repeat(20), `${'ü'.repeat(31)}y`],
  ...['partitioncache', 'process', 'queue', 'process_queue', 'processqueue', 'default'],
  ...['maintenance', 'history', 'mycache', 'nightly', '0123456789ab', 'abcdefabcdef'],
];
const PLAIN_WORDS = WORDS.filter((word) => /^[a-z0-9]+(?:_[a-z0-9]+)?$/.test(word));
const PREFIXES = [
  'partitioncache',
  'partitioncache_queue',
  'my_cache',
  'a',
  'b_c',
  '__',
  'nightly',
];

/**
 * Distinct jobs that are easily confused: the same words divided between database, schema and processor in
 * every way.
 */
function randomJobs(random: Random): Job[] {
  const prefixes = new Map<string, string>();
  const jobs = new Map<string, Job>();
  const add = (job: Job) => jobs.set(JSON.stringify(job), job);
  const addDeployment = (database: string, schema: string, processor: string) => {
    if (database === '') return;
    const deployment = JSON.stringify([database, schema]);
    const tablePrefix = prefixes.get(deployment) ?? random.pick(PREFIXES);
    prefixes.set(deployment, tablePrefix);
    const own = defaultJobName({ tablePrefix, work: { ...settings.work, database } });
    const base = { database, schema, tablePrefix };
    for (const role of ['maintenance', 'history']) add({ ...base, processor: null, role });
    const suffix = own.slice(`partitioncache_process_queue_${database}_`.length);
    for (const name of [own, suffix, processor, `partitioncache_${processor}`]) {
      for (const role of ['1', '20']) add({ ...base, processor: name, role });
    }
  };
  for (let round = 0; round < 150; round += 1) {
    const words = Array.from({ length: random.integer(1, 4) }, () => random.pick(WORDS));
    const extra = random.pick(PLAIN_WORDS);
    for (let cut = 1; cut <= words.length; cut += 1) {
      const database = atMost63(words.slice(0, cut).join('_'));
      const processor = words.slice(cut).join('_');
      addDeployment(database, 'partitioncache', processor);
      addDeployment(database, atMost63(`partitioncache_${extra}`), processor);
      addDeployment(database, extra, processor);
      addDeployment(atMost63(`${database}_${extra}`), 'partitioncache', processor);
      addDeployment(database, 'partitioncache', `${extra}_${processor}`);
    }
  }
  return [...jobs.values()];
}

function atMost63(name: string): string {
  let rest = name;
  while (Buffer.byteLength(rest) > 63) rest = [...rest].slice(0, -1).join('');
  return rest;
}
