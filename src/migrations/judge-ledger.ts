import { shown } from '../errors/shown.js';
import type { AppliedMigration } from './ledger.js';
import { LedgerError } from './ledger-error.js';
import type { Migration } from './read-migrations.js';
import { span } from './span.js';

/** What a ledger says, beside what this package knows. */
export interface LedgerVerdict {
  /** Applied after the last one that this package has: by a newer version, as far as can be seen. */
  readonly newer: readonly AppliedMigration[];
  /** Why nothing may be built on what is applied; undefined if it is as this package knows it. */
  readonly fault: LedgerError | undefined;
}

type Known = Pick<Migration, 'name'> & {
  readonly up: Pick<Migration['up'], 'checksum'>;
  readonly down: Pick<Migration['down'], 'checksum'>;
};

/** Compares names, order and checksums. */
export function judgeLedger(
  applied: readonly AppliedMigration[],
  migrations: readonly Known[],
): LedgerVerdict {
  const known = migrations.map(({ name }) => name);
  const first = applied[0];
  if (first !== undefined && !known.includes(first.name)) {
    return { newer: [], fault: otherHistory(applied) };
  }
  const beyond = applied.slice(known.length);
  const newer = beyond.every(({ name }) => !known.includes(name)) ? beyond : [];
  const misplaced = [
    ...applied
      .slice(0, known.length)
      .flatMap(({ name }, index) =>
        name === known[index] ? [] : [misplacement(name, index, known[index])],
      ),
    ...(newer.length === 0
      ? beyond.map(({ name }, index) => misplacement(name, known.length + index, undefined))
      : []),
  ];
  if (misplaced.length > 0) return { newer: [], fault: misplacedFault(misplaced, applied) };
  const unrecorded = applied.filter(({ record }) => record === undefined);
  const unlisted = applied.filter(({ isListed }) => !isListed);
  if (unrecorded.length + unlisted.length > 0) {
    return { newer, fault: incompleteFault(unrecorded, unlisted) };
  }
  const edited = migrations.flatMap((migration, index) =>
    editsOf(migration, applied[index]?.record),
  );
  return { newer, fault: edited.length > 0 ? editedFault(edited, applied) : undefined };
}

function misplacement(name: string, index: number, belongs: string | undefined): string {
  return `The ledger has ${shown(name)} in place ${index + 1}, where ${belongs ?? 'nothing'} belongs.`;
}

function misplacedFault(
  misplaced: readonly string[],
  applied: readonly AppliedMigration[],
): LedgerError {
  return new LedgerError(
    [...misplaced, 'The ledger was changed by hand, or by another build of pcache-migrate.'],
    {
      remedy: `Use the build that migrated this database${versionsOf(applied)}. Where its table migrations was changed by hand, the ledger beside it knows better: pcache-migrate verify --fix`,
    },
  );
}

function incompleteFault(
  unrecorded: readonly AppliedMigration[],
  unlisted: readonly AppliedMigration[],
): LedgerError {
  const missing = (from: string, those: readonly AppliedMigration[]) =>
    those.length === 0
      ? []
      : [
          `${span(those.map(({ name }) => name))} ${those.length === 1 ? 'is' : 'are'} missing in the table ${from}, and not in the other table of the ledger.`,
        ];
  return new LedgerError(
    [
      ...missing('ledger', unrecorded),
      ...missing('migrations', unlisted),
      'Rows were deleted by hand, or a restore left them out.',
    ],
    {
      remedy:
        unrecorded.length === 0
          ? 'Write the table migrations anew from the ledger: pcache-migrate verify --fix'
          : `Restore both tables, ledger and migrations, from one backup; or write them anew: ${RECORD_ANEW}`,
    },
  );
}

/** For what verify --fix has nothing to go by. */
export const RECORD_ANEW = 'pcache-migrate verify --record-anew';

function editsOf({ name, up, down }: Known, record: AppliedMigration['record']): readonly string[] {
  if (record === undefined) return [];
  const pairs = [
    ['up', record.upChecksum, up.checksum],
    ['down', record.downChecksum, down.checksum],
  ] as const;
  return pairs
    .filter(([, applied, installed]) => applied !== installed)
    .map(
      ([direction, applied, installed]) =>
        `${name}.${direction}.sql is not the file that was applied (SHA-256 applied: ${shown(applied)}, in this package: ${installed}).`,
    );
}

function editedFault(edited: readonly string[], applied: readonly AppliedMigration[]): LedgerError {
  return new LedgerError(edited, {
    remedy: `Use the build that migrated this database${versionsOf(applied)}. What an applied migration did is changed by a new one only. Where the ledger itself was changed by hand: ${RECORD_ANEW}`,
  });
}

/** The first release began a new history; a database deployed by an earlier build cannot be carried over. */
function otherHistory(applied: readonly AppliedMigration[]): LedgerError {
  const names = applied.map(({ name }) => name);
  return new LedgerError(
    [
      `The ledger begins with ${span(names.slice(0, 1))}, which is no migration of this version (${names.length} are applied).`,
      'This database was migrated by a build from before the first release, whose migrations were others.',
    ],
    {
      remedy:
        'Roll it back with the build that migrated it (pcache-migrate down --all), then deploy it with this one (pcache-migrate up).',
    },
  );
}

function versionsOf(applied: readonly AppliedMigration[]): string {
  const versions = new Set(applied.flatMap(({ record }) => record?.packageVersion ?? []));
  return versions.size === 0 ? '' : ` (${[...versions].map(shown).join(', ')})`;
}
