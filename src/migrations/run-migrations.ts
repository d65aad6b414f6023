import { dirname } from 'node:path';
import type { ClientBase } from 'pg';
import { judgeLedger } from './judge-ledger.js';
import { readLedger } from './ledger.js';
import { notRecorded } from './ledger-error.js';
import { type LockPolicy, lockingTransaction } from './locking-transaction.js';
import type { Direction } from './migration-error.js';
import { provideSchema } from './provide-schema.js';
import type { Migration } from './read-migrations.js';
import {
  type AppliedBy,
  forgetMigration,
  readRecordedDowns,
  recordMigration,
} from './recorded-migrations.js';
import { loadRunner, type PartRun, runOutside, runWithin, type Step } from './run-part.js';
import { type DownExtent, selectDown, selectUp } from './select-migrations.js';
import { withoutDefaultPrivileges } from './without-default-privileges.js';

/** A migration that has just begun. */
export interface MigrationStep {
  readonly direction: Direction;
  /** Its place among `total`, counted from 1; starts over when the transaction is tried again. */
  readonly index: number;
  readonly total: number;
  readonly migration: string;
}

export interface MigrateOptions extends LockPolicy {
  /** Connected, in no transaction, holding the advisory lock that keeps other runs away. */
  readonly client: ClientBase;
  readonly schema: string;
  readonly migrations: readonly Migration[];
  readonly onProgress?: ((step: MigrationStep) => void) | undefined;
  readonly witness?: Witness | undefined;
}

/** Sees what each transaction of a run changes. */
export interface Witness {
  /** Before a step that runs outside of a transaction. */
  readonly beforeOutside?: () => Promise<void>;
  /** In each transaction, around the migrations in it, which it has to let run. */
  readonly within: (
    migrate: () => Promise<readonly string[]>,
    names: readonly string[],
  ) => Promise<void>;
}

export interface MigrateUpOptions extends MigrateOptions, AppliedBy {
  /** The last migration to apply; all, if left out. */
  readonly to?: string | undefined;
}

/**
 * Applies what is pending and records it; returns the names applied. All in one transaction, but for what cannot run
 * in one: that, what comes before and what comes after it succeed or fail each on their own.
 */
export async function migrateUp(options: MigrateUpOptions): Promise<string[]> {
  const { client, schema, migrations, to } = options;
  checkSchemaName(schema);
  const applied = await readLedger(client, schema);
  const { fault } = judgeLedger(applied, migrations);
  if (fault) throw fault;
  const names = new Set(
    selectUp(
      applied.map(({ name }) => name),
      migrations.map(({ name }) => name),
      to,
    ),
  );
  const steps = migrations
    .filter(({ name }) => names.has(name))
    .map((migration) => ({
      name: migration.name,
      script: migration.up,
      record: (seconds: number) => recordMigration(client, schema, migration, options, seconds),
    }));
  return migrate(
    options,
    'up',
    steps,
    migrations.map(({ name }) => name),
  );
}

/** Rolls back what is recorded, last first, in one transaction likewise; returns the names rolled back. */
export async function migrateDown(options: MigrateOptions & DownExtent): Promise<string[]> {
  const { client, schema, log } = options;
  checkSchemaName(schema);
  const applied = await readLedger(client, schema);
  if ('count' in options && options.count > applied.length) {
    log(`Only ${applied.length} of ${options.count} migrations are applied.`);
  }
  const selected = selectDown(applied, options);
  if (selected.length === 0) return [];
  const downs = await readRecordedDowns(client, schema);
  const stepOf = (name: string): Step => {
    const script = downs.get(name);
    if (script === undefined) throw notRecorded(name, schema);
    return { name, script, record: () => forgetMigration(client, schema, name) };
  };
  return migrate(
    options,
    'down',
    selected.map(stepOf),
    applied.map(({ name }) => name),
  );
}

/** `known` are all migrations that the runner may meet in the ledger. */
async function migrate(
  options: MigrateOptions,
  direction: Direction,
  steps: readonly Step[],
  known: readonly string[],
): Promise<string[]> {
  const { client, schema, witness = { within: async (work) => void (await work()) } } = options;
  if (steps.length === 0) return [];
  const done: string[] = [];
  const run: PartRun = {
    client,
    schema,
    direction,
    known,
    directory: dirname(options.migrations[0]?.up.file ?? ''),
    log: options.log,
    runner: await loadRunner(),
    done,
    begin: (name, index) =>
      options.onProgress?.({ direction, index, total: steps.length, migration: name }),
  };
  for (const part of partsOf(steps)) {
    if (!part.every(({ script }) => script.inTransaction)) await witness.beforeOutside?.();
    const seconds = await runOutside(run, part);
    const names = part.map(({ name }) => name);
    await lockingTransaction(client, options, () =>
      witness.within(async () => {
        if (direction === 'down') return runWithin(run, part, seconds);
        return withoutDefaultPrivileges(client, async () => {
          await provideSchema(client, schema);
          return runWithin(run, part, seconds);
        });
      }, names),
    );
    done.push(...names);
  }
  return done;
}

/** What can share a transaction; what cannot run in one is a part of its own. */
function partsOf(steps: readonly Step[]): Step[][] {
  const parts: Step[][] = [];
  for (const step of steps) {
    const last = parts.at(-1);
    if (last && step.script.inTransaction && last[0]?.script.inTransaction) last.push(step);
    else parts.push([step]);
  }
  return parts;
}

// node-pg-migrate puts the name into its SQL without escaping it.
function checkSchemaName(schema: string): void {
  if (/["'\\]/.test(schema)) {
    throw new RangeError(
      `The schema name ${JSON.stringify(schema)} contains a quote or backslash, which the ledger cannot cope with. Choose another schema.`,
    );
  }
}
