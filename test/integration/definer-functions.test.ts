import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { expect, it } from 'vitest';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient } from '../harness/databases.js';
import { createSite, deploy } from '../harness/deployment.js';

// Each function that runs with its owner's rights is on the page, with a reason: one more is one more to be sure of.

interface Definer {
  readonly name: string;
  readonly owner: string;
  readonly callers: string;
}

it('docs/security.md lists every function that runs with the rights of its owner', async () => {
  const deployed = [
    ...(await definersOf('postgresql_array')),
    ...(await definersOf('postgresql_bit')),
  ];
  expect(listed()).toEqual(unique(deployed));
});

async function definersOf(backend: string): Promise<Definer[]> {
  const site = await createSite();
  const settings = site.settings({ CACHE_BACKEND: backend, PG_BIT_CACHE_TABLE_PREFIX: 'my_cache' });
  await deploy(settings);
  const plainNames: Record<string, string> = {
    [site.migrator.name]: 'migrator',
    [site.cronRole.name]: 'cron role',
    [site.app.name]: 'client',
    [site.fragmentRole ?? '']: 'fragment role',
  };
  const definers = [
    ...(await definersIn(settings, 'work', Object.keys(plainNames))),
    ...(await definersIn(settings, 'cron', Object.keys(plainNames))),
  ];
  return definers.map(({ name, owner, callers }) => ({
    name,
    owner: plainNames[owner] ?? owner,
    callers: callers
      .map((role) => plainNames[role] ?? role)
      .sort()
      .join(', '),
  }));
}

/** Wherever in the database: a definer function in the clients' schema would be one of ours, too. */
async function definersIn(settings: Settings, side: 'work' | 'cron', owners: readonly string[]) {
  const admin = await adminClient(settings[side].database);
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
  return unique(
    (table.split('\n\n')[0] ?? '')
      .split('\n')
      .slice(1)
      .map((row) => {
        const [, name = '', owner = '', callers = '', reason = ''] = row
          .split('|')
          .map((cell) => cell.trim());
        expect(reason, `the reason of ${name}`).not.toBe('');
        return { name: name.replaceAll('`', ''), owner, callers };
      }),
  );
}

function unique(definers: readonly Definer[]): Definer[] {
  const byName = new Map(definers.map((definer) => [JSON.stringify(definer), definer]));
  return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name));
}
