import type { ClientBase } from 'pg';
import type { ConnectionSettings } from '../../settings/settings.js';
import { type Finding, failed, ok, type Remedy, sql, text } from '../check-result.js';
import { isAtLeast } from '../compare-versions.js';
import type { DoctorCheck } from '../context.js';
import { grantLine } from '../grants.js';
import { clientOf } from '../reach.js';
import { leastGrants } from './cron-grants.js';

/** The first version with schedule_in_database(). */
const OLDEST_VERSION = '1.4';

export const pgCronExtension: DoctorCheck = {
  id: 'pg-cron-extension',
  title: 'extension pg_cron',
  needs: ['pg-cron-database'],
  run: async ({ settings, cron }) => {
    const client = clientOf(cron);
    const { installed, available } = await readVersions(client);
    if (installed !== undefined) return ok(`in database "${settings.cron.database}"`);
    const missing = `missing in database "${settings.cron.database}"`;
    if (available === undefined) return failed(missing, upgradePackage());
    return failed(
      missing,
      await asAdministrator(client, settings.cron, 'CREATE EXTENSION pg_cron;'),
    );
  },
};

export const pgCronVersion: DoctorCheck = {
  id: 'pg-cron-version',
  title: 'pg_cron version',
  needs: ['pg-cron-extension'],
  run: async ({ settings, cron }) => {
    const client = clientOf(cron);
    const { installed = '', available = '' } = await readVersions(client);
    if (isAtLeast(installed, OLDEST_VERSION)) return describeVersion(installed);
    const old = `${installed} is too old: schedule_in_database(), which runs jobs in another database, exists only in ${OLDEST_VERSION} and later`;
    if (!isAtLeast(available, OLDEST_VERSION)) return failed(old, upgradePackage());
    return failed(
      old,
      await asAdministrator(client, settings.cron, 'ALTER EXTENSION pg_cron UPDATE;'),
    );
  },
};

function describeVersion(version: string): Finding {
  return ok(
    isAtLeast(version, '1.5')
      ? version
      : `${version}; jobs start at most once a minute (seconds need 1.5), and the processor itself keeps shorter frequencies`,
  );
}

function upgradePackage(): Remedy {
  return text(
    'administrator',
    `Install pg_cron ${OLDEST_VERSION} or later for this PostgreSQL on the server's machine, restart the server, then run: ALTER EXTENSION pg_cron UPDATE; (or CREATE EXTENSION pg_cron; where it is missing)`,
  );
}

/** Adds the grants that the new schema or functions then lack, so that one round of fixes is enough. */
async function asAdministrator(
  client: ClientBase,
  { user, database }: ConnectionSettings,
  statement: string,
): Promise<Remedy> {
  const { rows } = await client.query<{ superuser: boolean }>(
    'SELECT rolsuper AS superuser FROM pg_roles WHERE rolname = $1',
    [user],
  );
  const grants = rows[0]?.superuser ? [] : leastGrants(user).map(grantLine);
  return sql('administrator', database, statement, ...grants);
}

interface Versions {
  installed: string | undefined;
  available: string | undefined;
}

async function readVersions(client: ClientBase): Promise<Versions> {
  const { rows } = await client.query<{ installed: string | null; available: string | null }>(
    `SELECT (SELECT extversion FROM pg_extension WHERE extname = 'pg_cron') AS installed,
            (SELECT default_version FROM pg_available_extensions WHERE name = 'pg_cron') AS available`,
  );
  return {
    installed: rows[0]?.installed ?? undefined,
    available: rows[0]?.available ?? undefined,
  };
}
