import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '../../src/database/connect.js';
import { readStreamPlan } from '../../src/deployment/stream-plan.js';
import { objectScope } from '../../src/objects/scope.js';
import { readAsRecorded } from '../../src/plan/as-recorded.js';
import { changedObjects, objectsIn } from '../../src/plan/changed-objects.js';
import { readReleasedSql } from '../../src/plan/released-sql.js';
import type { Settings } from '../../src/settings/settings.js';
import { connectAs, createSite, deploy } from '../harness/deployment.js';

describe('what a script replaces', () => {
  let settings: Settings;
  let work: pg.Client;
  let released: string[];

  beforeAll(async () => {
    settings = (await createSite()).settings();
    await deploy(settings);
    work = await connectAs(settings.work);
    released = await withClient(settings.work, async (client) => {
      const { schema, applied } = await readStreamPlan(client, settings, 'work');
      return (await readReleasedSql(client, schema, applied)).map(({ up }) => up);
    });
  });

  /** The statement that released a routine, changed. */
  const changed = (name: string, from: string, to: string) => {
    const text = objectsIn(released).find((object) => object.name === name)?.text ?? '';
    expect(text).toContain(from);
    return text.replace(from, to);
  };
  const replaced = async (script: string) => {
    await work.query('SET search_path = pg_catalog, pg_temp');
    const isAsRecorded = await readAsRecorded(work, objectScope(settings, 'work'));
    return changedObjects(work, [script], { scripts: released, isAsRecorded });
  };

  it('is shown from source to source, a line that differs and no other', async () => {
    const [found, ...others] = await replaced(
      changed('batch_limit', 'LANGUAGE sql', 'LANGUAGE sql -- x'),
    );
    expect(others).toEqual([]);
    expect(found).toMatchObject({
      kind: 'routine',
      action: 'replaced',
      asReleased: true,
      name: expect.stringMatching(/^partitioncache\.batch_limit\(/),
      live: expect.stringContaining('CREATE OR REPLACE FUNCTION partitioncache.batch_limit('),
    });
    const lines = (found?.diff ?? '').split('\n').filter((line) => /^[-+](?![-+])/.test(line));
    expect(lines).toEqual([
      expect.stringMatching(/^-LANGUAGE sql [A-Z]/),
      expect.stringMatching(/^\+LANGUAGE sql -- x/),
    ]);
  });

  it('is shown as it is in the database, when somebody changed it', async () => {
    const script = changed('is_deaf', 'LANGUAGE', '-- new\nLANGUAGE');
    const { rows } = await work.query(
      "SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE proname = 'is_deaf'",
    );
    await work.query(rows[0].text.replace('$function$', '$function$ /* hot\u2028fix */'));
    const [found] = await replaced(script);
    expect(found).toMatchObject({ asReleased: false, action: 'replaced' });
    expect(found?.diff).toContain('hot\u2028fix');
    await work.query(rows[0].text);
    expect((await replaced(script))[0]?.asReleased).toBe(true);
  });

  it('is not as released when its attributes are others, or a view is another', async () => {
    const script = `${changed('is_deaf', 'LANGUAGE', '-- new\nLANGUAGE')}; DROP VIEW "partitioncache".queue_depth`;
    const { rows } = await work.query(
      "SELECT pg_get_viewdef('partitioncache.queue_depth'::regclass) AS text",
    );
    await work.query('ALTER FUNCTION partitioncache.is_deaf SECURITY DEFINER');
    await work.query(
      `CREATE OR REPLACE VIEW partitioncache.queue_depth AS SELECT * FROM (${rows[0].text.replace(';', '')}) AS mine`,
    );
    const found = await replaced(script);
    expect(found.map(({ asReleased }) => asReleased)).toEqual([false, false]);
    expect(found[0]?.diff).toContain('SECURITY DEFINER');
    await work.query('ALTER FUNCTION partitioncache.is_deaf SECURITY INVOKER');
    await work.query(`CREATE OR REPLACE VIEW partitioncache.queue_depth AS ${rows[0].text}`);
    expect((await replaced(script)).map(({ asReleased }) => asReleased)).toEqual([true, true]);
  });

  it('may be a view, or be dropped', async () => {
    const found = await replaced(`
      DROP VIEW "partitioncache".queue_depth; DROP FUNCTION IF EXISTS "partitioncache".is_deaf;
      CREATE FUNCTION "partitioncache".not_there_yet() RETURNS void LANGUAGE sql AS 'SELECT';`);
    expect(found).toMatchObject([
      {
        name: 'partitioncache.is_deaf(timestamp with time zone)',
        action: 'dropped',
        asReleased: true,
        diff: '',
      },
      { name: 'partitioncache.queue_depth', kind: 'view', action: 'dropped', asReleased: true },
    ]);
  });

  it('is told from others of its name by its parameters', async () => {
    await work.query(
      `CREATE FUNCTION partitioncache.twofold(p_a integer) RETURNS text LANGUAGE sql AS $$ SELECT '1' $$;
       CREATE FUNCTION partitioncache.twofold(p_a text, p_b text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$ SELECT '2' $$`,
    );
    const found = await replaced(
      `CREATE OR REPLACE FUNCTION partitioncache.twofold(p_a text, VARIADIC p_b text[] DEFAULT '{}') RETURNS text LANGUAGE sql AS $$ SELECT '3' $$`,
    );
    expect(found.map(({ name }) => name)).toEqual(['partitioncache.twofold(text, text[])']);
    expect(found[0]?.asReleased).toBe(false);
    await work.query(
      'DROP FUNCTION partitioncache.twofold(integer), partitioncache.twofold(text, text[])',
    );
  });
});
