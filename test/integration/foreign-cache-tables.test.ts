import { beforeAll, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { connectAs, enqueue, type Fragment } from '../harness/deployment.js';
import { outcomeOf, processInOneRun, startManualSite } from '../harness/manual-site.js';
import { waitFor } from '../harness/wait-for.js';
import { foreignTables, type OutsiderSite, startOutsiderSite } from './foreign/outsider.js';
import { plants } from './foreign/plants.js';

// Whoever may CREATE in the clients' schema can make a table with the name of a cache table. Code that hangs on it
// must never run as the cron role, the migrator or a client.

let it_: OutsiderSite;

beforeAll(async () => {
  it_ = await startOutsiderSite();
  await it_.work.query(`
    CREATE TABLE gate (closed boolean);
    CREATE FUNCTION passes_gate() RETURNS integer LANGUAGE plpgsql AS $$
      BEGIN
        WHILE EXISTS (SELECT FROM gate) LOOP
          PERFORM pg_sleep(0.02);
        END LOOP;
        RETURN 11;
      END $$;
    GRANT SELECT ON gate TO PUBLIC`);
  return () => it_.admin.end();
});

let items = 0;
function fragment(key: string, query = 'SELECT 1'): Fragment {
  items += 1;
  return { hash: `${items} ${key}`, key, datatype: 'integer', query };
}

const slug = (kind: string) => kind.replaceAll(' ', '_').toLowerCase();

/** A run of the cron role meets the table, fails its fragment alone, and works on once the table is gone. */
async function expectRefused(key: string, named: RegExp, drop: () => Promise<unknown>) {
  const table = `my_cache_cache_${key}`;
  const [unfit, next] = [fragment(key), fragment('zipcode')];
  await processInOneRun(it_, [unfit, next]);
  expect(await it_.victims()).toEqual([]);
  const outcome = await outcomeOf(it_, unfit);
  expect(outcome).toMatchObject({ status: 'failed', logged: 'failed', queued: false });
  expect(outcome.error).toContain(`42809: table public.${table} is not used`);
  expect(outcome.error).toMatch(named);
  expect(outcome.error).toContain('the processor makes its own');
  expect(outcome.error).not.toMatch(/grant/i);
  expect(await outcomeOf(it_, next)).toMatchObject({ status: 'ok', logged: 'success' });

  const said = await foreignTables(it_.settings);
  // Not failed: one who may only CREATE there must not stop every deployment.
  expect(said).toMatchObject({ status: 'warning' });
  expect(said.detail).toContain(`"${table}"`);
  expect(said.detail).toMatch(named);
  expect(said.remedy).toMatch(
    /DROP (TABLE|VIEW|MATERIALIZED VIEW|FOREIGN TABLE|(TRIGGER|RULE|POLICY) \S+ ON) "public"\.|ROW LEVEL SECURITY;/,
  );
  expect(said.remedy).not.toMatch(/GRANT |OWNER TO/);
  expect(await it_.victims()).toEqual([]);

  await drop();
  expect(await foreignTables(it_.settings)).toMatchObject({ status: 'ok' });
  await processInOneRun(it_, [unfit]);
  expect(await outcomeOf(it_, unfit)).toMatchObject({ status: 'ok' });
  expect(await it_.victims()).toEqual([]);
}

const dropAs = (client: { query: (text: string) => Promise<unknown> }, table: string) =>
  client.query(`
    DO $$ BEGIN
      EXECUTE (SELECT format('DROP %s %s CASCADE',
        CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
        oid::regclass) FROM pg_class WHERE oid = '${table}'::regclass);
    END $$`);

describe('a table of an outsider with the name of a cache table that is yet to be made', () => {
  it.each(plants)('is refused with $kind', async ({ kind, statements, named }) => {
    const key = `new_${slug(kind)}`;
    const table = `my_cache_cache_${key}`;
    await it_.outsider.query(`${statements(table)} GRANT ALL ON ${table} TO PUBLIC`);
    await it_.victims();
    await expectRefused(
      key,
      new RegExp(`owner ${it_.outsiderName}.*(${named.source})|(${named.source}).*owner`),
      () => dropAs(it_.outsider, table),
    );
  });

  it('is refused even if nothing hangs on it yet: its owner could add that at any time', async () => {
    await it_.outsider.query(`
      CREATE TABLE my_cache_cache_bare (query_hash text PRIMARY KEY, partition_keys integer[]);
      GRANT ALL ON my_cache_cache_bare TO PUBLIC`);
    await expectRefused('bare', /owner outsider_\w+[;)]/, () =>
      it_.outsider.query('DROP TABLE my_cache_cache_bare'),
    );
  });

  it('is refused when it was given no rights to, too', async () => {
    await it_.outsider.query(
      'CREATE TABLE my_cache_cache_shut (query_hash text PRIMARY KEY, partition_keys integer[])',
    );
    await expectRefused('shut', /owner outsider_\w+[;)]/, () =>
      it_.outsider.query('DROP TABLE my_cache_cache_shut'),
    );
  });

  it('is refused when it is made while the fragment is evaluated', async () => {
    const late = fragment('late', 'SELECT passes_gate()');
    await it_.work.query('INSERT INTO gate VALUES (true)');
    await processInOneRun(it_, [late], async (pid) => {
      await waitFor('the fragment at the gate', () => isAtTheGate(pid), { deadlineMs: 20_000 });
      await it_.outsider.query(`
        CREATE TABLE my_cache_cache_late (query_hash text PRIMARY KEY, partition_keys integer[]);
        CREATE TRIGGER t BEFORE INSERT ON my_cache_cache_late FOR EACH ROW EXECUTE FUNCTION spy_row();
        GRANT ALL ON my_cache_cache_late TO PUBLIC`);
      await it_.work.query('DELETE FROM gate');
    });
    expect(await it_.victims()).toEqual([]);
    expect((await outcomeOf(it_, late)).error).toContain('table public.my_cache_cache_late is not');
    await it_.outsider.query('DROP TABLE my_cache_cache_late');
  });

  it('is refused when it is made since a transaction began that reads as of then', async () => {
    const sudden = fragment('sudden');
    await enqueue(it_.app, it_.settings, [sudden]);
    await it_.cronRole.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM my_cache_queries');
    await it_.outsider.query(`
      CREATE TABLE my_cache_cache_sudden (query_hash text PRIMARY KEY, partition_keys integer[]);
      CREATE TRIGGER t BEFORE INSERT ON my_cache_cache_sudden FOR EACH ROW EXECUTE FUNCTION spy_row();
      GRANT ALL ON my_cache_cache_sudden TO PUBLIC`);
    await it_.cronRole.query('SELECT partitioncache.process_batch($1, 1)', [
      defaultJobName(it_.settings),
    ]);
    await it_.cronRole.query('COMMIT');
    expect(await it_.victims()).toEqual([]);
    expect(await outcomeOf(it_, sudden)).toMatchObject({ status: null, queued: true });
    await it_.outsider.query('DROP TABLE my_cache_cache_sudden');
    await processInOneRun(it_, [sudden]);
    expect(await outcomeOf(it_, sudden)).toMatchObject({ status: 'ok' });
  });

  it('is not declared ready by the clients’ function', async () => {
    await it_.outsider.query(
      'CREATE TABLE my_cache_cache_ready (query_hash text PRIMARY KEY, partition_keys integer[])',
    );
    await expect(
      it_.app.query(
        "SELECT partitioncache_bootstrap_partition('my_cache', 'ready', 'integer', 'array')",
      ),
    ).rejects.toThrow(/table public.my_cache_cache_ready is not used/);
    await it_.outsider.query('DROP TABLE my_cache_cache_ready');
  });

  it('is not read to see what is cached', async () => {
    const [known] = [fragment('read')];
    await processInOneRun(it_, [known]);
    await it_.work.query('DROP TABLE my_cache_cache_read');
    await it_.outsider.query(`
      CREATE VIEW my_cache_cache_read AS
        SELECT spy_text('${known.hash}') AS query_hash, '{}'::integer[] AS partition_keys;
      GRANT ALL ON my_cache_cache_read TO PUBLIC`);
    await it_.victims();
    await enqueue(it_.app, it_.settings, [known]);
    await it_.cronRole.query('SELECT partitioncache.delete_cached_duplicates(0, 100)');
    expect(await it_.victims()).toEqual([]);
    expect((await outcomeOf(it_, known)).queued).toBe(true);
    await processInOneRun(it_, [known]);
    expect(await it_.victims()).toEqual([]);
    expect((await outcomeOf(it_, known)).error).toContain('it is a view');
    await it_.outsider.query('DROP VIEW my_cache_cache_read');
  });

  async function isAtTheGate(pid: number): Promise<boolean> {
    const { rowCount } = await it_.work.query(
      "SELECT FROM pg_locks WHERE pid = $1 AND relation = 'gate'::regclass",
      [pid],
    );
    return rowCount !== 0;
  }
});

describe('a table of an outsider that somebody has made the migrator’s', () => {
  it.each(plants.filter(({ notATable }) => !notATable))(
    'is refused with $kind',
    async ({ kind, statements, named }) => {
      const key = `own_${slug(kind)}`;
      const table = `my_cache_cache_${key}`;
      const { work, cron, client } = it_.settings;
      await it_.outsider.query(statements(table));
      await it_.admin.query(`
        ALTER TABLE ${table} OWNER TO ${work.user};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${cron.user}, ${client.user}`);
      await it_.victims();
      await expectRefused(key, named, () => dropAs(it_.admin, table));
    },
  );

  it('is used when nothing foreign is left on it', async () => {
    const { work, cron } = it_.settings;
    await it_.outsider.query(
      `CREATE TABLE my_cache_cache_clean (
         query_hash text PRIMARY KEY, partition_keys integer[],
         partition_keys_count integer GENERATED ALWAYS AS (cardinality(partition_keys)) STORED,
         seen timestamp DEFAULT now(), more text DEFAULT 'x' CHECK (length(more) < 5))`,
    );
    await it_.admin.query(`
      ALTER TABLE my_cache_cache_clean OWNER TO ${work.user};
      GRANT SELECT, INSERT, UPDATE, DELETE ON my_cache_cache_clean TO ${cron.user}`);
    const clean = fragment('clean');
    await processInOneRun(it_, [clean]);
    expect(await outcomeOf(it_, clean)).toMatchObject({ status: 'ok' });
  });
});

describe('a cache table of ours', () => {
  it.each([
    [
      'a trigger',
      'CREATE TRIGGER t BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION spy_row()',
      'DROP TRIGGER t ON %s',
      /[:(] ?trigger t[;)]/,
    ],
    [
      'a foreign key to it',
      'CREATE TABLE refers (query_hash text CONSTRAINT tied REFERENCES %s ON UPDATE CASCADE)',
      'DROP TABLE refers',
      /[:(] ?foreign key tied[;)]/,
    ],
  ])(
    'is not used with %s of somebody who was allowed to add that',
    async (_, plant, remove, named) => {
      await processInOneRun(it_, [fragment('shared')]);
      const table = 'my_cache_cache_shared';
      await it_.admin.query(`GRANT TRIGGER, REFERENCES ON ${table} TO ${it_.outsiderName}`);
      await it_.outsider.query(plant.replace('%s', table));
      await expectRefused('shared', named, () => it_.admin.query(remove.replace('%s', table)));
    },
  );

  it('stays as it was when it was checked, until the transaction’s end', async () => {
    await processInOneRun(it_, [fragment('held')]);
    const table = 'my_cache_cache_held';
    await it_.admin.query(`GRANT TRIGGER, REFERENCES ON ${table} TO ${it_.outsiderName}`);
    await it_.cronRole.query('BEGIN');
    await it_.cronRole.query(`SELECT partitioncache.hold_own_tables('write', 'public.${table}')`);
    await it_.outsider.query("SET lock_timeout = '200ms'");
    for (const statement of [
      `CREATE TRIGGER t BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION spy_row()`,
      `CREATE TABLE refers_too (query_hash text REFERENCES ${table})`,
    ]) {
      await expect(it_.outsider.query(statement)).rejects.toMatchObject({ code: '55P03' });
    }
    const owner = await connectAs(it_.settings.work);
    await owner.query("SET lock_timeout = '200ms'");
    for (const statement of [
      `DROP TABLE ${table}`,
      `ALTER TABLE ${table} RENAME TO away`,
      `ALTER TABLE ${table} ALTER query_hash TYPE varchar`,
      `CREATE RULE r AS ON INSERT TO ${table} DO ALSO NOTHING`,
      `CREATE POLICY p ON ${table}`,
      `ALTER TABLE ${table} INHERIT parent`,
    ]) {
      await expect(owner.query(statement)).rejects.toMatchObject({ code: '55P03' });
    }
    await it_.cronRole.query('ROLLBACK');
    await it_.outsider.query('SET lock_timeout = 0');
  });
});

describe('a client that is our owner', () => {
  it('may add a trigger of its own', async () => {
    const one = await startManualSite({}, { oneRole: true });
    await processInOneRun(one, [fragment('own')]);
    await one.app.query(`
      CREATE FUNCTION public.own_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER own BEFORE INSERT ON my_cache_cache_own FOR EACH ROW EXECUTE FUNCTION own_row();
      CREATE INDEX ON my_cache_cache_own USING gin (partition_keys gin__int_ops)`);
    const again = fragment('own');
    await processInOneRun(one, [again]);
    expect(await outcomeOf(one, again)).toMatchObject({ status: 'ok' });
    expect(await foreignTables(one.settings)).toMatchObject({ status: 'ok' });
  });
});
