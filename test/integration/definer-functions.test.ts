import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import { createSite, deploy, type SiteOptions, type TestSite } from '../harness/deployment.js';

// Each function that runs with its owner's rights is on the page, with a reason: one more is one more to be sure of.

interface Definer {
  readonly name: string;
  readonly owner: string;
  readonly callers: readonly string[];
}

it('docs/security.md lists every function that runs with the rights of its owner', async () => {
  const cross = [
    ...(await definersOf('postgresql_array')),
    ...(await definersOf('postgresql_bit')),
  ];
  const cluster = await startOwnCluster();
  const admin = await adminClient('postgres', cluster);
  await admin.query('CREATE EXTENSION pg_cron');
  await admin.end();
  const single = await definersOf('postgresql_array', { cluster, database: 'postgres' });
  expect(listed()).toEqual(merged(cross, single));
});

async function definersOf(backend: string, options: SiteOptions = {}): Promise<Definer[]> {
  const site = await createSite(options);
  const settings = site.settings({ CACHE_BACKEND: backend, PG_BIT_CACHE_TABLE_PREFIX: 'my_cache' });
  await deploy(settings);
  const plainNames: Record<string, string> = {
    [site.migrator.name]: 'migrator',
    [site.cronRole.name]: 'cron role',
    [site.app.name]: 'client',
    [site.fragmentRole ?? '']: 'fragment role',
  };
  const definers = [
    ...(await definersIn(site, settings.work.database, Object.keys(plainNames))),
    ...(await definersIn(site, settings.cron.database, Object.keys(plainNames))),
  ];
  return definers.map(({ name, owner, callers }) => ({
    name,
    owner: plainNames[owner] ?? owner,
    callers: callers.map((role) => plainNames[role] ?? role),
  }));
}

/** Wherever in the database: a definer function in the clients' schema would be one of ours, too. */
async function definersIn({ cluster }: TestSite, database: string, owners: readonly string[]) {
  const admin = await adminClient(database, cluster);
  try {
    return await read(admin, owners);
  } finally {
    await admin.end();
  }
}

async function read(admin: pg.Client, owners: readonly string[]) {
  const { rows } = await admin.query<{ name: string; owner: string; callers: string[] }>(
    `SELECT proname::text AS name, pg_get_userbyid(proowner)::text AS owner,
            CASE WHEN prorettype = 'trigger'::regtype THEN ARRAY['its trigger'] ELSE ARRAY[]::text[] END
              || ARRAY(
                SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END
                  FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
                 WHERE grantee <> proowner AND privilege_type = 'EXECUTE') AS callers
       FROM pg_proc WHERE prosecdef AND pg_get_userbyid(proowner) = ANY ($1)`,
    [owners],
  );
  return rows;
}

/** The rows of the page's table, each with a reason. */
function listed(): Definer[] {
  const page = readFileSync('docs/security.md', 'utf8');
  const table = page.split('| function | owner | called by | why it is one |\n')[1] ?? '';
  return sorted(
    (table.split('\n\n')[0] ?? '')
      .split('\n')
      .slice(1)
      .map((row) => {
        const [, name = '', owner = '', callers = '', reason = ''] = row
          .split('|')
          .map((cell) => cell.trim());
        expect(reason, `the reason of ${name}`).not.toBe('');
        return { name: name.replaceAll('`', ''), owner, callers: callers.split(', ') };
      }),
  );
}

/** Callers that there are in single mode alone are marked so. */
function merged(cross: readonly Definer[], single: readonly Definer[]): Definer[] {
  const all = [...cross, ...single];
  return sorted(
    unique(all.map(({ name }) => name)).map((name) => {
      const callersIn = (definers: readonly Definer[]) =>
        definers.filter((one) => one.name === name).flatMap(({ callers }) => callers);
      const always = callersIn(cross);
      const inSingle = callersIn(single).filter((role) => !always.includes(role));
      return {
        name,
        owner: [
          ...new Set(all.filter((one) => one.name === name).map(({ owner }) => owner)),
        ].join(),
        callers: unique([...always, ...inSingle.map((role) => `${role} in single mode`)]),
      };
    }),
  );
}

function sorted(definers: readonly Definer[]): Definer[] {
  return [...definers].sort((a, b) => a.name.localeCompare(b.name));
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
