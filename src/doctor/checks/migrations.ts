import type { ClientBase } from 'pg';
import { readStreamPlan } from '../../deployment/stream-plan.js';
import { LedgerError } from '../../migrations/ledger.js';
import type { StreamName } from '../../migrations/streams.js';
import type { Settings } from '../../settings/settings.js';
import { type Finding, failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

export const workMigrations: DoctorCheck = {
  id: 'work-migrations',
  title: 'migrations of the work database',
  needs: ['work-schema'],
  run: ({ settings, work }) => ledger(clientOf(work), settings, 'work'),
};

export const cronMigrations: DoctorCheck = {
  id: 'cron-migrations',
  title: 'migrations of the pg_cron database',
  needs: ['cron-schema'],
  run: ({ settings, cron }) => ledger(clientOf(cron), settings, 'cron'),
};

async function ledger(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<Finding> {
  try {
    const { migrations, pending } = await readStreamPlan(client, settings, stream);
    return ok(`${migrations.length - pending.length} of ${migrations.length} applied`);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return failed(
      error.problems.join(' '),
      text(
        'user',
        error.remedy ?? 'Fix what the server reports, and run pcache-migrate doctor again.',
      ),
    );
  }
}
