import type { Client } from 'pg';
import { pollUntil } from '../poll.js';
import { isEmpty } from '../processor.js';
import { enqueue, type Fragment } from '../sample-data.js';
import { fragmentsAtWork } from './at-work.js';
import type { Member } from './deploy-fleet.js';
import { assertNothingFailed } from './outcomes.js';

/** While it runs, these deployments have this backlog; afterwards they have nothing to do. */
export async function withBacklog<T>(
  observer: Client,
  members: readonly Member[],
  backlog: readonly Fragment[],
  run: () => Promise<T>,
): Promise<T> {
  await Promise.all(members.map(({ client, site }) => enqueue(client, site, backlog)));
  const result = await run();
  for (const member of members) await clear(observer, member);
  return result;
}

/** Throws if the backlog was worked off: then what was measured was no longer beside it. */
async function clear(observer: Client, member: Member): Promise<void> {
  const { admin, tables, settings } = member.site;
  if (await isEmpty(admin, member.site)()) {
    throw new Error(
      `the backlog in database ${settings.work.database} was too short to measure anything beside it`,
    );
  }
  await admin.query(`DELETE FROM ${tables.queue}`);
  await pollUntil(
    `no fragment is at work in database ${settings.work.database}`,
    async () => (await fragmentsAtWork(observer, [member]))[0] === 0,
    { everyMs: 200, deadlineMs: 30_000 },
  );
  await assertNothingFailed(member);
}
