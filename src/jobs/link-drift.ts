import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** How the link to the pg_cron database differs from the settings. */
export interface LinkDrift {
  readonly expected: string;
  readonly found: string;
}

const NONE = 'no link';

export const LINK_UNKNOWN = 'the link to the pg_cron database: where it leads cannot be read';

/** Undefined when the link is as configured; `unknown` when this role may not read where it leads. */
export async function readLinkDrift(
  work: ClientBase,
  settings: Settings,
): Promise<LinkDrift | 'unknown' | undefined> {
  const { rows: tables } = await work.query<{ readable: boolean }>(
    `SELECT c.relkind = 'r' AND NOT c.relrowsecurity
              AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
       FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname IN ('cron_link', 'deployment')`,
    [settings.schema],
  );
  // What is missing is missed by the comparison of the objects.
  if (tables.length < 2) return undefined;
  if (!tables.every(({ readable }) => readable)) return 'unknown';
  const { rows } = await work.query<{
    transport: string;
    role: string;
    found: string | null;
    digest: Buffer | null;
  }>(
    // The password itself would stand in the server's log, were it a parameter of this statement.
    `SELECT d.transport,
            (SELECT pg_catalog.sha256(pg_catalog.convert_to(password, 'UTF8'))
               FROM ${ownName(settings, 'cron_link')}) AS digest,
            d.cron_role AS role,
            (SELECT pg_catalog.format('%s:%s/%s as %s', host, coalesce(port, 'its own port'),
                                      database, role)
               FROM ${ownName(settings, 'cron_link')}) AS found
       FROM ${ownName(settings, 'deployment')} AS d`,
  );
  const [row] = rows;
  if (row === undefined) return 'unknown';
  const { link, cron } = settings;
  const expected =
    row.transport === 'link'
      ? `${link.host}:${link.port ?? 'its own port'}/${cron.database} as ${row.role}`
      : NONE;
  const found = row.found ?? NONE;
  if (found !== expected) return { expected, found };
  // Without one in the settings, a password file says it at the time.
  return row.digest === null || cron.password === undefined || isDigestOf(cron.password, row.digest)
    ? undefined
    : {
        expected: `${expected}, with the password of the settings`,
        found: `${found}, with another`,
      };
}

function isDigestOf(password: string, digest: Buffer): boolean {
  return createHash('sha256').update(password, 'utf8').digest().equals(digest);
}
