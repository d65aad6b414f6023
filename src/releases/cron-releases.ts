import type { ClientBase } from 'pg';
import { ledgerName } from '../migrations/ledger.js';
import type { Release } from './release.js';

/** Which release each migration of the cron stream belongs to, by the record in the work database. */
export type CronReleases = ReadonlyMap<string, number>;

export function cronReleases(releases: readonly Release[]): CronReleases {
  const by = new Map<string, number>();
  for (const { number, undoneAt, cronMigrations } of releases) {
    if (undoneAt === undefined) for (const name of cronMigrations) by.set(name, number);
  }
  return by;
}

/** So that a rollback of a release takes both streams back to the one before, whoever applied its part again. */
export async function attributeToReleases(
  cron: ClientBase,
  schema: string,
  releases: CronReleases,
): Promise<void> {
  await cron.query(
    `UPDATE ${ledgerName(schema)} AS ledger SET release = known.release
       FROM unnest($1::text[], $2::integer[]) AS known (name, release) WHERE known.name = ledger.name`,
    [[...releases.keys()], [...releases.values()]],
  );
}
