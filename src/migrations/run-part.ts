import type { RunnerOption } from 'node-pg-migrate';
import type { ClientBase } from 'pg';
import { queryOne } from '../database/query-one.js';
import { changeIndex } from './change-index.js';
import { LEDGER_TABLE } from './ledger.js';
import { ledgerFailure } from './ledger-error.js';
import { type Direction, MigrationError } from './migration-error.js';
import type { MigrationScript } from './read-migrations.js';

/** One migration in the direction of the run. */
export interface Step {
  readonly name: string;
  readonly script: MigrationScript;
  /** Changes the ledger, once the script has run. */
  readonly record: (seconds: number) => Promise<void>;
}

export type Runner = (options: RunnerOption) => Promise<unknown>;

/** Loaded only where there is something to run, and before any lock is held. */
export async function loadRunner(): Promise<Runner> {
  const { runner } = await import('node-pg-migrate');
  return runner;
}

/** A run of which the steps of one transaction are a part. */
export interface PartRun {
  readonly client: ClientBase;
  readonly schema: string;
  readonly direction: Direction;
  /** All migrations that the runner may meet in the ledger, in their order. */
  readonly known: readonly string[];
  /** Where the runner looks for files; which, it is told. */
  readonly directory: string;
  /** What earlier parts of the run have done, for good. */
  readonly done: readonly string[];
  readonly log: (message: string) => void;
  readonly runner: Runner;
  readonly begin: (name: string, index: number) => void;
}

/** Runs what cannot run in a transaction, if the part is that; returns the seconds it took. */
export async function runOutside(run: PartRun, [step]: readonly Step[]): Promise<number> {
  const statement = step?.script.statements[0];
  if (step === undefined || statement === undefined || step.script.inTransaction) return 0;
  run.begin(step.name, run.done.length + 1);
  const start = performance.now();
  await changeIndex(run.client, statement.text, run.log).catch((cause: Error) => {
    throw new MigrationError({ ...step, ...run, statement }, cause);
  });
  return secondsSince(start);
}

/** Runs the part in the transaction that is open, and records it; returns its names. */
export async function runWithin(
  run: PartRun,
  part: readonly Step[],
  secondsOutside: number,
): Promise<readonly string[]> {
  const steps = new Map(part.map((step) => [step.name, step]));
  let begun = run.done.length;
  const execute = async (name: string) => {
    const step = steps.get(name);
    if (step === undefined) throw new Error(`${name} is not to be run`);
    if (!step.script.inTransaction) return step.record(secondsOutside);
    begun += 1;
    run.begin(name, begun);
    const start = performance.now();
    await executeAll(run, step);
    await step.record(secondsSince(start));
  };
  await callRunner(run, part.length, execute);
  return [...steps.keys()];
}

async function executeAll(run: PartRun, step: Step): Promise<void> {
  for (const statement of step.script.statements) {
    await queryOne(run.client, statement.text).catch((cause: Error) => {
      throw new MigrationError({ ...step, ...run, statement }, cause);
    });
  }
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

const ignore = () => {};

async function callRunner(
  { client, schema, direction, known, directory, runner }: PartRun,
  count: number,
  execute: (name: string) => Promise<void>,
): Promise<void> {
  // run_on has no time zone, yet the runner orders by it.
  await client.query("SET LOCAL TimeZone = 'UTC'");
  const session = withinOurTransaction(client);
  // Two functions, though they do the same: the runner tells the direction by which one it has called.
  const units = known.map((name) => ({
    id: `${name}.sql`,
    filePaths: [],
    actions: { up: () => execute(name), down: () => execute(name) },
  }));
  try {
    await runner({
      dbClient: session.client,
      direction,
      count,
      dir: directory,
      ignorePattern: '(?!.*\\.sql$).*',
      migrationsSchema: schema,
      migrationsTable: LEDGER_TABLE,
      createMigrationsSchema: false,
      singleTransaction: true,
      checkOrder: true,
      noLock: true,
      // Its own log names each migration three times, and its errors do not name the line.
      logger: { info: ignore, warn: ignore, error: ignore },
      migrationLoaderStrategies: [{ extensions: ['.sql'], loader: async () => units }],
    } satisfies RunnerOption);
  } catch (error) {
    const failure = session.failure();
    throw failure ? ledgerFailure(schema, 'written', failure) : error;
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
