import { dirname } from 'node:path';
import { type RunnerOption, runner } from 'node-pg-migrate';
import type { ClientBase } from 'pg';
import { checkLedger, LEDGER_TABLE, ledgerFailure, readLedger } from './ledger.js';
import { type LockPolicy, lockingTransaction } from './locking-transaction.js';
import { type Direction, MigrationError } from './migration-error.js';
import { provideSchema } from './provide-schema.js';
import type { Migration } from './read-migrations.js';
import { type DownExtent, selectDown, selectUp } from './select-migrations.js';

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
}

/** Applies what is pending, up to and including `to`, in one transaction; returns the names applied. */
export async function migrateUp(options: MigrateOptions & { readonly to?: string | undefined }) {
  const known = options.migrations.map(({ name }) => name);
  return migrate(options, 'up', (applied) => selectUp(applied, known, options.to));
}

/** Rolls back in one transaction, last first; returns the names rolled back. */
export async function migrateDown(options: MigrateOptions & DownExtent) {
  return migrate(options, 'down', (applied) => {
    if ('count' in options && options.count > applied.length) {
      options.log(`Only ${applied.length} of ${options.count} migrations are applied.`);
    }
    return selectDown(applied, options);
  });
}

async function migrate(
  options: MigrateOptions,
  direction: Direction,
  select: (applied: readonly string[]) => string[],
): Promise<string[]> {
  checkSchemaName(options.schema);
  return lockingTransaction(options.client, options, async () => {
    const applied = await readLedger(options.client, options.schema);
    checkLedger(applied, options.migrations);
    const selected = select(applied.map(({ name }) => name));
    // The runner would create its ledger even with nothing to do, and takes a count of 0 for all.
    if (selected.length === 0) return [];
    if (direction === 'up') await provideSchema(options.client, options.schema);
    await run(options, direction, selected.length);
    return selected;
  });
}

const ignore = () => {};

// node-pg-migrate puts the name into its SQL without escaping it.
function checkSchemaName(schema: string): void {
  if (/["'\\]/.test(schema)) {
    throw new RangeError(
      `The schema name ${JSON.stringify(schema)} contains a quote or backslash, which the ledger cannot cope with. Choose another schema.`,
    );
  }
}

async function run(options: MigrateOptions, direction: Direction, count: number): Promise<void> {
  const { client, schema, migrations } = options;
  let index = 0;
  const begin = ({ name }: Migration) => {
    index += 1;
    options.onProgress?.({ direction, index, total: count, migration: name });
  };
  // run_on has no time zone, yet the runner orders by it.
  await client.query("SET LOCAL TimeZone = 'UTC'");
  const session = withinOurTransaction(client);
  try {
    await runner({
      dbClient: session.client,
      direction,
      count,
      dir: dirname(migrations[0]?.up.file ?? ''),
      migrationsSchema: schema,
      migrationsTable: LEDGER_TABLE,
      createMigrationsSchema: false,
      singleTransaction: true,
      checkOrder: true,
      noLock: true,
      // Its own log names each migration three times, and its errors do not name the line.
      logger: { info: ignore, warn: ignore, error: ignore },
      migrationLoaderStrategies: [
        { extensions: ['.sql'], loader: async () => migrationUnits(client, migrations, begin) },
      ],
    } satisfies RunnerOption);
  } catch (error) {
    const failure = session.failure();
    throw failure ? ledgerFailure(schema, 'written', failure) : error;
  }
}

function migrationUnits(
  client: ClientBase,
  migrations: readonly Migration[],
  begin: (migration: Migration) => void,
) {
  return migrations.map((migration) => ({
    id: `${migration.name}.sql`,
    filePaths: [migration.up.file, migration.down.file],
    actions: {
      up: () => {
        begin(migration);
        return execute(client, migration, 'up');
      },
      down: () => {
        begin(migration);
        return execute(client, migration, 'down');
      },
    },
  }));
}

async function execute(
  client: ClientBase,
  migration: Migration,
  direction: Direction,
): Promise<void> {
  for (const statement of migration[direction].statements) {
    await client.query(statement.text).catch((cause: Error) => {
      throw new MigrationError(migration, direction, statement, cause);
    });
  }
}

/**
 * The runner begins its transaction only after it has created schema and ledger; ours encloses these too,
 * so its own begin and end are left out. It also replaces some errors by new ones without a cause,
 * so the first is kept here.
 */
function withinOurTransaction(client: ClientBase) {
  let failure: Error | undefined;
  const query = async (text: string, values?: unknown[]) => {
    if (/^(BEGIN|COMMIT|ROLLBACK);?$/.test(text)) return { rows: [] };
    return client.query(text, values).catch((error: Error) => {
      failure ??= error;
      throw error;
    });
  };
  return { client: { query } as unknown as ClientBase, failure: () => failure };
}
