import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PcacheError, type PcacheErrorDetails } from '../errors/pcache-error.js';
import { type Directives, readDirectives } from './directives.js';
import { indexStatement } from './index-statement.js';
import { type PlaceholderValues, renderSql } from './render-sql.js';
import { lineAt, type Statement, splitStatements } from './split-statements.js';

export interface MigrationScript {
  /** Where it comes from, for messages. */
  readonly file: string;
  /** With every placeholder filled in: what is shown, checked, run and recorded. */
  readonly sql: string;
  readonly statements: readonly Statement[];
  /** SHA-256 of the file, in hexadecimal. */
  readonly checksum: string;
  /** Whether no run of the processor may be at work meanwhile. */
  /** False for what PostgreSQL runs outside of a transaction only: one statement about one index. */
  readonly inTransaction: boolean;
}

export interface Migration {
  /** `NNNN_name`, as the ledger holds it. */
  readonly name: string;
  readonly up: MigrationScript;
  readonly down: MigrationScript;
  /** The tables of the clients' schema that `down` drops, rows included. */
  readonly drops: readonly string[];
  /** Whether packages that do not have it must not work on the database. */
  readonly breaksOlder: boolean;
}

export class MigrationFilesError extends PcacheError {
  override readonly name = 'MigrationFilesError';
  readonly directory: string;
  readonly problems: readonly string[];

  constructor(directory: string, problems: readonly string[], details?: PcacheErrorDetails) {
    super(
      [`The migrations in ${directory} are not sound, nothing was run:`, ...problems].join('\n  '),
      details,
    );
    this.directory = directory;
    this.problems = problems;
  }
}

const INSTALL_AGAIN = 'Install pcache-migrate again.';

const FILE_NAME = /^(?<name>(?<number>\d{4})_[a-z0-9_]+)\.(?<direction>up|down)\.sql$/;

/** What was measured of a migration, for plans. */
const LOCKS_FILE = /^\d{4}_[a-z0-9_]+\.locks\.json$/;

// One transaction spans all migrations of a run and their entries in the ledger.
const TRANSACTION_CONTROL =
  /^(begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b/i;

/** Reads one file after the other, without waiting: some hundred small ones take a fifth of the time so. */
export async function readMigrations(
  directory: string,
  values: PlaceholderValues,
): Promise<Migration[]> {
  const names = migrationNames(directory, listFiles(directory));
  const migrations = names.map((name) => {
    const up = readScript(join(directory, `${name}.up.sql`), values);
    const down = readScript(join(directory, `${name}.down.sql`), values);
    const { drops } = down.directives;
    const { breaksOlder } = up.directives;
    return { name, up: up.script, down: down.script, drops, breaksOlder };
  });
  const scripts = migrations.flatMap(({ up, down }) => [up, down]);
  const empty = scripts.filter(({ statements }) => statements.length === 0);
  const controlling = scripts.flatMap(transactionControl);
  const problems = [
    ...empty.map(({ file }) => `${file}: has no statement.`),
    ...controlling,
    ...scripts.flatMap(unfitOutsideTransaction),
  ];
  if (problems.length > 0) {
    throw new MigrationFilesError(directory, problems, {
      remedy: controlling.length > 0 ? 'Remove what controls the transaction.' : undefined,
    });
  }
  return migrations;
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((file) => !file.startsWith('.'))
      .sort();
  } catch (cause) {
    const problem = `the directory cannot be read (${(cause as Error).message}).`;
    throw new MigrationFilesError(directory, [problem], { remedy: INSTALL_AGAIN, cause });
  }
}

function migrationNames(directory: string, files: readonly string[]): string[] {
  const misnamed = files.filter((file) => !FILE_NAME.test(file) && !LOCKS_FILE.test(file));
  const present = new Set(files.filter((file) => FILE_NAME.test(file)));
  const names = [...new Set([...present].map((file) => file.replace(FILE_NAME, '$<name>')))];
  const problems = [
    ...misnamed.map((file) => `${file}: is not named NNNN_name.up.sql or NNNN_name.down.sql.`),
    ...names.flatMap((name) => missingHalf(name, present)),
    ...numberingProblems(names),
  ];
  if (files.length === 0) {
    // A package that lost its files must not look as if there were nothing to do.
    throw new MigrationFilesError(directory, ['there are none.'], { remedy: INSTALL_AGAIN });
  }
  if (problems.length > 0) throw new MigrationFilesError(directory, problems);
  return names;
}

function missingHalf(name: string, present: ReadonlySet<string>): string[] {
  const [up, down] = [`${name}.up.sql`, `${name}.down.sql`];
  if (!present.has(down)) return [`${down}: is missing; every migration needs a way back.`];
  if (!present.has(up)) return [`${up}: is missing, though ${down} is there.`];
  return [];
}

function numberingProblems(names: readonly string[]): string[] {
  return names.flatMap((name, index) => {
    const previous = names[index - 1];
    const expected = numberOf(previous) + 1;
    if (previous !== undefined && numberOf(name) === numberOf(previous)) {
      return [`${previous} and ${name}: have the same number.`];
    }
    return numberOf(name) === expected
      ? []
      : [`${name}: number ${String(expected).padStart(4, '0')} was expected here.`];
  });
}

function numberOf(name: string | undefined): number {
  return Number(name?.slice(0, 4) ?? 0);
}

interface ReadScript {
  readonly script: MigrationScript;
  readonly directives: Directives;
}

function readScript(file: string, values: PlaceholderValues): ReadScript {
  const text = readFileSync(file, 'utf8');
  const sql = renderSql(text, values, file);
  const directives = readDirectives(text, values, file);
  const { inTransaction } = directives;
  const checksum = createHash('sha256').update(text).digest('hex');
  return {
    script: { file, sql, statements: splitStatements(sql), checksum, inTransaction },
    directives,
  };
}

// Only of an index can be told after a failure how far it came.
function unfitOutsideTransaction({ file, inTransaction, statements }: MigrationScript): string[] {
  if (inTransaction) return [];
  const [statement, ...others] = statements;
  return others.length === 0 && statement && indexStatement(statement.text)
    ? []
    : [
        `${file}: without a transaction there may be one statement only, CREATE INDEX CONCURRENTLY name ON schema.table … or DROP INDEX CONCURRENTLY schema.name.`,
      ];
}

function transactionControl({ file, sql, statements }: MigrationScript): string[] {
  return statements
    .filter(({ text }) => TRANSACTION_CONTROL.test(text))
    .map(
      ({ text, offset }) =>
        `${file}:${lineAt(sql, offset)}: "${text}" controls the transaction, which spans the whole run.`,
    );
}
