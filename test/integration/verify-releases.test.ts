import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { withClient } from '../../src/database/connect.js';
import { objectsChanged } from '../../src/objects/examine-objects.js';
import { objectsBefore, recordObjects } from '../../src/objects/record-objects.js';
import { objectScope } from '../../src/objects/scope.js';
import { fix, verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, type TestSite } from '../harness/deployment.js';
import { fixing } from './verify/report.js';
import { all, QUEUE, stranger, undo, verifiedSite } from './verify/site.js';

/** A release of the test's own, in the work database. */
async function release(settings: Settings, statements: readonly string[]): Promise<void> {
  const scope = objectScope(settings, 'work');
  await withClient(settings.work, async (client) => {
    await client.query('BEGIN');
    const before = await objectsBefore(client, scope);
    for (const statement of statements) await client.query(statement);
    await recordObjects(client, scope, { release: 2, before });
    await client.query('COMMIT');
  });
}

describe('a release', () => {
  let made: TestSite;
  let settings: Settings;
  let admin: pg.Client;

  beforeAll(async () => {
    ({ site: made, settings, admin } = await verifiedSite());
    return () => admin.end();
  });

  // Each test leaves it as the next one expects it.
  beforeEach(() => {
    undo.push(async () => expect(await verify(settings)).toMatchObject({ clean: true }));
  });

  const differs = async (settings: Settings) => all(await verify(settings));
  const FUNCTION = 'partitioncache.fragment_text(text)';
  const hotfix = `CREATE OR REPLACE FUNCTION partitioncache.fragment_text(p_query text) RETURNS text LANGUAGE sql AS 'SELECT p_query'`;

  it('does not take a change by hand for its own', async () => {
    const name = await stranger(admin);
    await admin.query(hotfix);
    await admin.query(`GRANT SELECT ON ${QUEUE} TO ${name}`);
    await admin.query(`ALTER TABLE ${QUEUE} ADD COLUMN note text`);
    await admin.query('DROP VIEW partitioncache.throughput');
    const changes = await differs(settings);
    expect(changes).toHaveLength(4);
    await release(settings, [
      'CREATE TABLE partitioncache.new (id integer PRIMARY KEY)',
      // Each writes to the same rows of the catalogue as the changes above.
      `GRANT EXECUTE ON FUNCTION ${FUNCTION} TO ${made.app.name}`,
      `COMMENT ON FUNCTION ${FUNCTION} IS 'new'`,
      `GRANT TRIGGER ON ${QUEUE} TO ${made.app.name}`,
      `ALTER TABLE ${QUEUE} ALTER COLUMN priority SET DEFAULT 2`,
      'CREATE INDEX new ON public.partitioncache_queue_query_fragment_queue (created_at)',
    ]);
    expect(await differs(settings)).toEqual(changes);
    await admin.query(`ALTER TABLE ${QUEUE} DROP COLUMN note`);
    await fix(settings, fixing);
  });

  it('makes a change by hand its own when it makes the same', async () => {
    await admin.query(hotfix);
    await release(settings, [hotfix]);
    expect(await differs(settings)).toEqual([]);
    await admin.query(`ALTER FUNCTION ${FUNCTION} STABLE`);
    expect(await differs(settings)).toEqual([`changed function ${FUNCTION}`]);
    await fix(settings, fixing);
  });

  it('records what it drops, alters and makes, in subtransactions as well', async () => {
    await release(settings, [
      'DROP VIEW partitioncache.queue_depth',
      `DO $$ BEGIN
         BEGIN
           CREATE TABLE public.of_ours (id serial PRIMARY KEY, note text);
         EXCEPTION WHEN duplicate_table THEN NULL;
         END;
         ALTER TABLE partitioncache.slot ADD COLUMN more integer;
       END $$`,
    ]);
    expect(await differs(settings)).toEqual([]);
    const work = await connectAs(settings.work);
    await work.query('ALTER TABLE public.of_ours DROP COLUMN note');
    expect(await differs(settings)).toEqual(['missing column public.of_ours.note']);
    await work.query('ALTER TABLE public.of_ours ADD COLUMN note text');
  });

  it('leaves what others commit meanwhile to them', async () => {
    const scope = objectScope(settings, 'work');
    await withClient(settings.work, async (client) => {
      await client.query('BEGIN');
      const before = await objectsBefore(client, scope);
      await client.query('CREATE TABLE partitioncache.newer (id integer)');
      await admin.query(`ALTER FUNCTION ${FUNCTION} IMMUTABLE`);
      await recordObjects(client, scope, { release: 2, before });
      await client.query('COMMIT');
    });
    expect(await differs(settings)).toEqual([`changed function ${FUNCTION}`]);
    await fix(settings, fixing);
  });

  it('records what ran outside of a transaction', async () => {
    const scope = objectScope(settings, 'work');
    await withClient(settings.work, async (client) => {
      await client.query('BEGIN');
      const before = await objectsBefore(client, scope);
      await client.query('COMMIT');
      await client.query(`CREATE INDEX CONCURRENTLY later ON ${QUEUE} (created_at)`);
      await client.query('BEGIN');
      await recordObjects(client, scope, { release: 2, before, inOneTransaction: false });
      await client.query('COMMIT');
    });
    expect(await differs(settings)).toEqual([]);
  });
});

describe('the digest', () => {
  it('tells whether something differs', async () => {
    const { settings, admin } = await verifiedSite();
    undo.push(() => admin.end());
    const scope = objectScope(settings, 'work');
    const changed = () =>
      withClient(settings.work, async (client) => {
        await client.query('BEGIN READ ONLY');
        return objectsChanged(client, scope);
      });
    expect(await changed()).toEqual({ changed: false });
    await admin.query(`COMMENT ON TABLE ${QUEUE} IS 'other'`);
    expect(await changed()).toEqual({ changed: true });
    await admin.query('DELETE FROM partitioncache.recording');
    expect(await changed()).toEqual({
      unknown: expect.stringContaining('is empty'),
      isExpected: false,
    });
  });
});
