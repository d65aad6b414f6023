import type { ClientBase } from 'pg';
import { PackageTooOldError, requireRecentPackage } from '../../deployment/require-deployed.js';
import { readStreamPlan } from '../../deployment/stream-plan.js';
import { LedgerError } from '../../migrations/ledger-error.js';
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
    const plan = await readStreamPlan(client, settings, stream);
    requireRecentPackage(plan);
    const { migrations, pending, newer } = plan;
    const applied = `${migrations.length - pending.length} of ${migrations.length} applied`;
    const by = newer.at(-1)?.record?.packageVersion;
    return ok(
      by === undefined ? applied : `${applied}, and ${newer.length} more by pcache-migrate ${by}`,
    );
  } catch (error) {
    if (!(error instanceof LedgerError || error instanceof PackageTooOldError)) throw error;
    return failed(
      error.message.replaceAll('\n', ' '),
      text(
        'user',
        error.remedy ?? 'Fix what the server reports, and run pcache-migrate doctor again.',
      ),
    );
  }
}
