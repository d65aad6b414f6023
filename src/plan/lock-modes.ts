/** Of PostgreSQL's lock modes on tables all but AccessShare, which every query takes; from weak to strong. */
export const LOCK_MODES = [
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;

export type LockMode = (typeof LOCK_MODES)[number];

export function isLockMode(mode: unknown): mode is LockMode {
  return LOCK_MODES.some((known) => known === mode);
}

/** Which of these modes each mode keeps out (PostgreSQL's documentation, "Table-Level Lock Modes"). */
const KEEPS_OUT: Readonly<Record<LockMode, readonly LockMode[]>> = {
  RowShareLock: LOCK_MODES.slice(5),
  RowExclusiveLock: LOCK_MODES.slice(3),
  ShareUpdateExclusiveLock: LOCK_MODES.slice(2),
  ShareLock: LOCK_MODES.filter((mode) => mode !== 'RowShareLock' && mode !== 'ShareLock'),
  ShareRowExclusiveLock: LOCK_MODES.slice(1),
  ExclusiveLock: LOCK_MODES,
  AccessExclusiveLock: LOCK_MODES,
};

/** Those that keep out something that none of the stronger ones does. */
export function strongest(modes: Iterable<LockMode>): LockMode[] {
  const held = LOCK_MODES.filter((mode) => new Set(modes).has(mode));
  return held.filter(
    (mode, index) =>
      !held
        .slice(index + 1)
        .some((other) => KEEPS_OUT[mode].every((kept) => KEEPS_OUT[other].includes(kept))),
  );
}

/** What sessions of the application have to wait for. */
export function effectOf(modes: readonly LockMode[]): 'reads and writes' | 'writes' | 'nothing' {
  if (modes.includes('AccessExclusiveLock')) return 'reads and writes';
  return modes.some((mode) => KEEPS_OUT[mode].includes('RowExclusiveLock')) ? 'writes' : 'nothing';
}
