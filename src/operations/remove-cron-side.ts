import type { ClientBase } from 'pg';
import { withAdvisoryLock } from '../database/advisory-lock.js';
import { hasSchema } from '../database/catalogue.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { readStreamState } from '../deployment/stream-plan.js';
import { streamSites } from '../deployment/stream-sites.js';
import type { LockWait } from '../deployment/with-databases.js';
import {
  type CronSide,
  deleteRunsHere,
  deleteRunsOf,
  readJobsOf,
  unschedule,
} from '../jobs/left-behind.js';
import { dropEmptyLedgerWithin, readLedger } from '../migrations/ledger.js';
import { migrateDown } from '../migrations/run-migrations.js';
import type { Settings } from '../settings/settings.js';

export interface RemovedCronSide {
  readonly schema: string;
  readonly workDatabase: string;
  readonly jobs: readonly string[];
  /** How many runs of them the history had. */
  readonly runs: number;
}

/**
 * Removes the jobs of a deployment whose work database is gone, their history and, last, its schema, by what its ledger
 * recorded. What is left after a crash is removed by the next call.
 */
export function removeCronSide(
  cron: ClientBase,
  settings: Settings,
  side: Pick<CronSide, 'schema' | 'workDatabase' | 'workSchema'>,
  wait: LockWait & { readonly log: (message: string) => void },
): Promise<RemovedCronSide> {
  const { schema, workDatabase } = side;
  const former: Settings = {
    ...settings,
    schema: side.workSchema,
    cronSchema: schema,
    work: { ...settings.work, database: workDatabase },
  };
  return withAdvisoryLock(cron, streamSites(former).cron.lock, wait, async () => {
    const jobs = await readJobsOf(cron, side);
    await unschedule(cron, jobs);
    const runs = await deleteRunsOf(cron, workDatabase);
    await deleteRunsHere(cron, schema);
    if (await hasSchema(cron, schema)) await dropSchema(cron, former, wait.log);
    return { schema, workDatabase, jobs: jobs.map(({ jobName }) => jobName), runs };
  });
}

async function dropSchema(
  cron: ClientBase,
  former: Settings,
  log: (message: string) => void,
): Promise<void> {
  const { schema, migrations } = await readStreamState(cron, former, 'cron');
  await migrateDown({
    client: cron,
    schema,
    migrations,
    all: true,
    ...lockPolicy(log),
    witness: {
      // With the last migration, or a crash in between would leave a schema that nothing says is ours.
      within: async (migrate) => {
        await migrate();
        if ((await readLedger(cron, schema)).length === 0) {
          await dropEmptyLedgerWithin(cron, schema);
        }
      },
    },
  });
}
