import type { StreamPlan } from '../deployment/stream-plan.js';
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
 * What a rollback takes back, in the order it does: the cron stream first, so that no job is left that calls
 * what is gone. Over both streams the extent counts through them in that order.
 */
export function planRollback(plans: readonly StreamPlan[], extent: DownExtent): RollbackStep[] {
  const ordered = [...plans].sort((a, b) => a.stream.localeCompare(b.stream));
  if ('to' in extent && ordered.length > 1) return rollbackTo(ordered, extent.to);
  let left = 'count' in extent ? extent.count : Number.POSITIVE_INFINITY;
  return ordered.map((plan) => {
    const names = plan.applied.map(({ name }) => name);
    const migrations =
      'count' in extent
        ? left > 0
          ? selectDown(names, { count: left })
          : []
        : selectDown(names, extent);
    left -= migrations.length;
    return { stream: plan.stream, migrations };
  });
}

function rollbackTo(plans: readonly StreamPlan[], to: string): RollbackStep[] {
  const holding = plans.filter(({ applied }) => applied.some(({ name }) => name === to));
  const [target, other] = holding;
  if (target === undefined || other !== undefined) {
    throw new MigrationSelectionError(
      `The migration "${to}" is applied in ${other ? 'both streams' : 'neither stream'}.`,
      'Say which stream with --stream work or --stream cron.',
    );
  }
  return plans.map((plan) => {
    const names = plan.applied.map(({ name }) => name);
    if (plan.stream === target.stream) {
      return { stream: plan.stream, migrations: selectDown(names, { to }) };
    }
    // Rolling work back takes all of cron along; rolling cron back leaves work alone.
    return {
      stream: plan.stream,
      migrations: target.stream === 'work' ? selectDown(names, { all: true }) : [],
    };
  });
}
