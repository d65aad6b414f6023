import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';

/** How far back `down` goes: `to` names the migration that stays applied as the last one. */
export type DownExtent =
  | { readonly to: string }
  | { readonly count: number }
  | { readonly all: true }
  /** Back to how this release left it; 0: to before the first. */
  | { readonly toRelease: number };

/** What selectDown needs to know of an applied migration. */
export interface Selectable {
  readonly name: string;
  readonly record: { readonly release: number } | undefined;
}

/** The user asked for a migration or a count that does not exist. */
export class MigrationSelectionError extends PcacheError {
  override readonly name = 'MigrationSelectionError';

  constructor(message: string, remedy?: string) {
    super(message, { remedy, exitCode: EXIT_CODES.usage });
  }
}

/** The migrations that `up` runs, in order; `to` names the last one to apply. */
export function selectUp(
  applied: readonly string[],
  known: readonly string[],
  to: string | undefined,
): string[] {
  const last = to === undefined ? known.length - 1 : known.indexOf(to);
  if (to !== undefined && last < 0) {
    throw new MigrationSelectionError(
      `There is no migration "${shown(to)}". ${listed('Known', known)}`,
    );
  }
  return known.slice(0, last + 1).filter((name) => !applied.includes(name));
}

/** The migrations that `down` rolls back, the last one first. */
export function selectDown(applied: readonly Selectable[], extent: DownExtent): string[] {
  return applied
    .slice(keptCount(applied, extent))
    .map(({ name }) => name)
    .reverse();
}

function keptCount(applied: readonly Selectable[], extent: DownExtent): number {
  if ('all' in extent) return 0;
  if ('toRelease' in extent) {
    const { toRelease } = extent;
    return applied.findLastIndex(({ record }) => (record?.release ?? 0) <= toRelease) + 1;
  }
  if ('count' in extent) {
    if (!Number.isSafeInteger(extent.count) || extent.count < 1) {
      throw new MigrationSelectionError(
        `The number of migrations to roll back must be a whole number from 1 on, not ${extent.count}.`,
      );
    }
    return Math.max(0, applied.length - extent.count);
  }
  const names = applied.map(({ name }) => name);
  const last = names.indexOf(extent.to);
  if (last < 0) {
    throw new MigrationSelectionError(
      `The migration "${shown(extent.to)}" is not applied, so it cannot remain the last. ${listed('Applied', names)}`,
    );
  }
  return last + 1;
}

function listed(what: string, names: readonly string[]): string {
  return `${what} are: ${names.length > 0 ? names.join(', ') : 'none'}.`;
}
