import { isStandby } from '../database/is-standby.js';
import { checksFor } from '../doctor/all-checks.js';
import {
  type AdministratorStatements,
  administratorStatements,
  forPeople,
} from '../doctor/apply-remedies.js';
import type { DoctorReport } from '../doctor/check-result.js';
import { runInOrder } from '../doctor/run-in-order.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { type Known, known, unknown } from './known.js';
import type { ReadOnlyDatabases } from './read-only-databases.js';

export interface Preparation {
  readonly administrator: Known<readonly AdministratorStatements[]>;
  readonly obstacles: readonly string[];
  readonly unchecked: readonly string[];
}

/** Of the connection that `up` will have, not of this one, which may lead to a standby. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set(['work-writable', 'cron-writable']);

/** Of the running server; a standby runs no pg_cron, and need not have loaded it. */
const OF_THE_PRIMARY: ReadonlySet<string> = new Set(['pg-cron-loaded', 'pg-cron-database']);

/** It creates a temporary table and connects to another database. */
const LINK_TRIAL = 'link-login';

/** What these ask for is never a statement for an administrator. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['foreign-tables', 'job-capacity', 'job-logins']);

/** Makes the doctor's checks, as far as reading is enough, and says what they ask of an administrator. */
export async function plannedAdministrator(
  { work, cron }: ReadOnlyDatabases,
  settings: Settings,
  streams: readonly StreamName[],
): Promise<Preparation> {
  const request = { settings: { ...settings, admin: undefined }, streams };
  const standby = await isStandby(work);
  const all = checksFor(request);
  const checks = all.filter(
    ({ id }) =>
      !OF_THE_CONNECTION.has(id) && id !== LINK_TRIAL && !(standby && OF_THE_PRIMARY.has(id)),
  );
  const rejected: { id: string; text: string }[] = [];
  const results = await runInOrder(
    checks,
    {
      settings: request.settings,
      work: { client: work },
      cron: cron && { client: cron },
      admin: undefined,
    },
    ({ id, title }, said) => {
      rejected.push({ id, text: `${title}: ${said}` });
      return { status: 'skipped', detail: said };
    },
  );
  const decisive = rejected.filter(({ id }) => !FOR_PEOPLE.has(id));
  return {
    ...preparationOf({ checks: results }),
    ...(decisive.length > 0 && {
      administrator: unknown(decisive.map(({ text }) => text).join('; ')),
    }),
    unchecked: [
      ...results.filter(({ status }) => status === 'skipped').map(({ title }) => title),
      ...all.filter(({ id }) => id === LINK_TRIAL).map(({ title }) => title),
    ],
  };
}

/** Likewise, of checks that were made already. */
export function preparationOf(report: DoctorReport): Preparation {
  return {
    administrator: known(administratorStatements(report)),
    obstacles: forPeople(report).map(({ title, detail }) => `${title}: ${detail}`),
    unchecked: report.checks.filter(({ status }) => status === 'skipped').map(({ title }) => title),
  };
}
