import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { createSite, deploy } from '../harness/deployment.js';

// What the design asks of every routine, so that one added later cannot forget it.
describe.each(['work', 'cron'] as const)('the routines in the %s database', (side) => {
  let settings: Settings;
  let admin: pg.Client;
  const schema = () => (side === 'work' ? settings.schema : settings.cronSchema);

  beforeAll(async () => {
    const site = await createSite();
    settings = site.settings();
    await deploy(settings);
    admin = await adminClient(settings[side].database);
    return () => admin.end();
  });

  async function routines(condition: string): Promise<string[]> {
    const { rows } = await admin.query(
      `SELECT pg_proc.oid::regprocedure::text AS routine
         FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname = $1 AND (${condition}) ORDER BY 1`,
      [schema()],
    );
    return rows.map(({ routine }) => routine);
  }

  it('exist', async () => {
    expect((await routines('true')).length).toBeGreaterThan(5);
  });

  it('cannot be executed by PUBLIC', async () => {
    expect(
      await routines(
        "EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)",
      ),
    ).toEqual([]);
  });

  it('pin their search_path, except procedures, which could then not COMMIT', async () => {
    expect(
      await routines(
        "prokind = 'f' AND NOT EXISTS (SELECT FROM unnest(proconfig) AS setting WHERE setting LIKE 'search_path=%')",
      ),
    ).toEqual([]);
    expect(await routines("prokind = 'p' AND proconfig IS NOT NULL")).toEqual([]);
  });

  it('say what they do', async () => {
    expect(await routines("obj_description(pg_proc.oid, 'pg_proc') IS NULL")).toEqual([]);
  });

  it('belong to the role that deploys, but for what fragments run in', async () => {
    const others = await routines(`pg_get_userbyid(proowner) <> '${settings[side].user}'`);
    const ofFragments = await routines(`pg_get_userbyid(proowner) = '${settings.fragmentRole}'`);
    expect(others).toEqual(ofFragments);
    expect(ofFragments).toEqual(
      side === 'work' ? ['partitioncache.run_fragment(text,boolean,text,bigint)'] : [],
    );
  });
});
