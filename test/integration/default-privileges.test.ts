import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, it } from 'vitest';
import { LEDGER_TABLES } from '../../src/migrations/ledger.js';
import { withoutDefaultPrivileges } from '../../src/migrations/without-default-privileges.js';
import { down } from '../../src/operations/down.js';
import { verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import { deploy } from '../harness/deployment.js';
import { all, stranger, undo, verifiedSite } from './verify/site.js';

const privileges = async (client: pg.Client) =>
  (
    await client.query<{ name: string; acl: string }>(
      `SELECT o.name, o.acl::text AS acl FROM (
         SELECT oid::regclass::text, relacl, relnamespace FROM pg_class WHERE relkind IN ('r', 'v', 'S')
         UNION ALL
         SELECT oid::regprocedure::text, proacl, pronamespace FROM pg_proc
         UNION ALL
         SELECT 'schema ' || nspname, nspacl, oid FROM pg_namespace
       ) AS o (name, acl, namespace)
       JOIN pg_namespace AS n ON n.oid = o.namespace
      WHERE n.nspname = 'partitioncache' OR o.name LIKE 'partitioncache_%'
      ORDER BY o.name`,
    )
  ).rows;

const defaults = async (client: pg.Client) =>
  (
    await client.query(
      `SELECT defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype,
              ARRAY(SELECT item::text FROM unnest(defaclacl) AS item ORDER BY 1) AS items
         FROM pg_default_acl ORDER BY 1, 2, 3`,
    )
  ).rows;

const downAll = (settings: Settings) =>
  down(settings, {
    streams: ['cron', 'work'],
    extent: { all: true },
    confirm: async () => true,
    drainSeconds: 5,
    waitSeconds: 5,
    onWait: () => {},
    log: () => {},
  });

it('a release gives nobody what no migration grants, and leaves the default privileges', async () => {
  const { site, settings, admin } = await verifiedSite({ link: true });
  undo.push(() => admin.end());
  const granted = await privileges(admin);
  await downAll(settings);
  const name = await stranger(admin);
  const everybody = [name, site.app.name, site.cronRole.name, site.fragmentRole, 'PUBLIC'].join();
  const alter = `ALTER DEFAULT PRIVILEGES FOR ROLE ${site.migrator.name}`;
  await admin.query(`
    ${alter} GRANT ALL ON TABLES TO ${everybody};
    ${alter} GRANT SELECT ON TABLES TO ${name} WITH GRANT OPTION;
    ${alter} GRANT ALL ON SEQUENCES TO ${everybody};
    ${alter} GRANT EXECUTE ON FUNCTIONS TO ${everybody};
    ${alter} GRANT ALL ON SCHEMAS TO ${everybody};
    ${alter} IN SCHEMA public GRANT INSERT, UPDATE ON TABLES TO ${everybody};
    ${alter} GRANT ALL ON TYPES TO ${name};
    ${alter} REVOKE USAGE ON TYPES FROM PUBLIC`);
  const before = await defaults(admin);
  expect(before.length).toBeGreaterThanOrEqual(6);

  await deploy(settings);

  expect(await privileges(admin)).toEqual(granted);
  const roles = [name, site.app.name, site.cronRole.name, site.fragmentRole];
  const { rows: open } = await admin.query(
    `SELECT relname, role FROM pg_class CROSS JOIN unnest($1::text[]) AS role
      WHERE relnamespace = 'partitioncache'::regnamespace AND relname = ANY ($2)
        AND has_table_privilege(role, pg_class.oid, 'SELECT, INSERT, UPDATE, DELETE, TRIGGER')`,
    [roles, [...LEDGER_TABLES, 'cron_link']],
  );
  expect(open).toEqual([]);
  expect(await defaults(admin)).toEqual(before);
  expect(all(await verify(settings))).toEqual([]);
});

it('a release does not make default privileges its own that somebody gave since', async () => {
  const { site, settings, admin } = await verifiedSite({ deployed: false });
  undo.push(() => admin.end());
  await deploy(settings, { streams: ['work'], to: '0010_sync_cron' });
  const name = await stranger(admin);
  await admin.query(
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${site.migrator.name} GRANT SELECT ON TABLES TO ${name}`,
  );
  const drift = [`unexpected default privileges FOR ROLE ${site.migrator.name} ON TABLES`];
  expect(all(await verify(settings))).toEqual(drift);
  await deploy(settings);
  expect(all(await verify(settings))).toEqual(drift);
});

it('they are taken from roles with any name, for every kind of object, and given back', async () => {
  const { site, admin } = await verifiedSite({ deployed: false });
  undo.push(() => admin.end());
  const name = pg.escapeIdentifier(`a "b"; %s ${randomBytes(4).toString('hex')}`);
  const schema = pg.escapeIdentifier('c "d" %I');
  await admin.query(`CREATE ROLE ${name}; CREATE SCHEMA ${schema} AUTHORIZATION ${name}`);
  undo.push(() => admin.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`));
  await admin.query(`SET ROLE ${name}`);
  const kinds = ['TABLES', 'SEQUENCES', 'FUNCTIONS', 'TYPES'];
  const { rows: recent } = await admin.query(
    `SELECT FROM pg_settings WHERE name = 'server_version_num' AND setting::integer >= 180000`,
  );
  for (const kind of [...kinds, 'SCHEMAS', ...(recent.length > 0 ? ['LARGE OBJECTS'] : [])]) {
    await admin.query(
      `ALTER DEFAULT PRIVILEGES GRANT ALL ON ${kind} TO ${site.app.name} WITH GRANT OPTION`,
    );
  }
  for (const kind of kinds) {
    await admin.query(
      `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT ALL ON ${kind} TO ${site.app.name}`,
    );
  }
  const before = await defaults(admin);

  await admin.query('BEGIN');
  const during = await withoutDefaultPrivileges(admin, () => defaults(admin));
  await admin.query('COMMIT');

  expect(during).toEqual([]);
  expect(await defaults(admin)).toEqual(before);
  await admin.query('RESET ROLE');
});
