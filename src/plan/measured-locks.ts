import { readFileSync } from 'node:fs';
import { PcacheError } from '../errors/pcache-error.js';
import type { Direction } from '../migrations/migration-error.js';
import type { Migration } from '../migrations/read-migrations.js';
import { isLockMode, type LockMode } from './lock-modes.js';

/** The locks that a migration takes on what was there before it, by the relation's template. */
export type MeasuredLocks = Readonly<
  Record<Direction, Readonly<Record<string, readonly LockMode[]>>>
>;

export class LocksFileError extends PcacheError {
  override readonly name = 'LocksFileError';

  constructor(file: string, problem: string, cause?: unknown) {
    super(`${file}: ${problem}`, { remedy: 'Install pcache-migrate again.', cause });
  }
}

export function locksFile({ up }: Pick<Migration, 'up'>): string {
  return up.file.replace(/\.up\.sql$/, '.locks.json');
}

/** What was measured of a migration (npm run locks); null if nothing was. */
export function readLocks(migration: Pick<Migration, 'up'>): MeasuredLocks | null {
  const file = locksFile(migration);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new LocksFileError(file, `cannot be read (${(cause as Error).message}).`, cause);
  }
  return parse(text, file);
}

function parse(text: string, file: string): MeasuredLocks {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw new LocksFileError(file, 'is not JSON.', cause);
  }
  const { up, down } = (found ?? {}) as Partial<Record<Direction, unknown>>;
  if (!areLocks(up) || !areLocks(down)) throw new LocksFileError(file, 'does not list locks.');
  return { up, down };
}

function areLocks(found: unknown): found is MeasuredLocks[Direction] {
  return (
    typeof found === 'object' &&
    found !== null &&
    Object.values(found).every((modes) => Array.isArray(modes) && modes.every(isLockMode))
  );
}
