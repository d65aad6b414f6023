import type { StreamPlan } from '../deployment/stream-plan.js';
import { shown } from '../errors/shown.js';
import {
  type DownExtent,
  MigrationSelectionError,
  selectDown,
} from '../migrations/select-migrations.js';
import type { StreamName } from '../migrations/streams.js';

export interface RollbackStep {
  readonly stream: StreamName;
  /** In the order they are rolled back. */
  readonly migrations: readonly string[];
}

/**
 * What a rollback removes, in order: the cron stream first, so that no job calls what is gone. An extent over
 * both streams counts through them in that order.
 */
export function planRollback(plans: readonly StreamPlan[], extent: DownExtent): RollbackStep[] {
  const ordered = [...plans].sort((a, b) => a.stream.localeCompare(b.stream));
  if ('to' in extent && ordered.length > 1) return rollbackTo(ordered, extent.to);
  let left = 'count' in extent ? extent.count : Number.POSITIVE_INFINITY;
  return ordered.map((plan) => {
    const migrations =
      'count' in extent
        ? left > 0
          ? selectDown(plan.applied, { count: left })
          : []
        : selectDown(plan.applied, extent);
    left -= migrations.length;
    return { stream: plan.stream, migrations };
  });
}

function rollbackTo(plans: readonly StreamPlan[], to: string): RollbackStep[] {
  const holding = plans.filter(({ applied }) => applied.some(({ name }) => name === to));
  const [target, other] = holding;
  if (target === undefined || other !== undefined) {
    throw new MigrationSelectionError(
      `The migration "${shown(to)}" is applied in ${other ? 'both streams' : 'neither stream'}.`,
      'Say which stream with --stream work or --stream cron.',
    );
  }
  return plans.map((plan) => {
    if (plan.stream === target.stream) {
      return { stream: plan.stream, migrations: selectDown(plan.applied, { to }) };
    }
    // Rolling back work needs all of cron rolled back; rolling back cron does not touch work.
    return {
      stream: plan.stream,
      migrations: target.stream === 'work' ? selectDown(plan.applied, { all: true }) : [],
    };
  });
}
