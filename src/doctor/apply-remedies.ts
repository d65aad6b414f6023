import { withClient } from '../database/connect.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { inTransaction } from '../database/in-transaction.js';
import { PcacheError } from '../errors/pcache-error.js';
import { asAdministrator, type ConnectionSettings, type Settings } from '../settings/settings.js';
import {
  type CheckResult,
  type DoctorReport,
  failures,
  type RemedyBy,
  type SqlRemedy,
} from './check-result.js';

export class RemedyError extends PcacheError {
  override readonly name = 'RemedyError';
  readonly line: string;
  readonly database: string;

  constructor(line: string, database: string, user: string, cause: unknown) {
    super(
      `role "${user}" (PG_ADMIN_USER) could not run this in database "${database}": ${line}\n${describeDatabaseError(cause)}`,
      {
        remedy:
          'Nothing was changed in this database. Set PG_ADMIN_USER to a role that may run this, such as a superuser, or have it run by hand.',
        cause,
      },
    );
    this.line = line;
    this.database = database;
  }
}

export interface AdministratorStatements {
  readonly database: string;
  /** Complete statements, in their order. */
  readonly lines: readonly string[];
}

/**
 * The statements that fix what the report says is missing: what `up` runs as the administrator, or an administrator
 * before it. Warnings alone need none.
 */
export function administratorStatements(report: DoctorReport): AdministratorStatements[] {
  if (failures(report).length === 0) return [];
  const remedies = report.checks
    .filter(({ status }) => status === 'failed' || status === 'warning')
    .flatMap((check) => fixableBySql(check) ?? []);
  return [...new Set(remedies.map(({ database }) => database))].map((database) => {
    const lines = remedies
      .filter((remedy) => remedy.database === database)
      .flatMap((remedy) => remedy.lines);
    return { database, lines: [...new Set(lines)] };
  });
}

/** What is missing and only a person can fix. */
export function forPeople(report: DoctorReport): CheckResult[] {
  return failures(report).filter((check) => fixableBySql(check) === undefined);
}

/** Runs the statements that fix what the report says is missing, as the administrator, and returns them. */
export async function applyRemediesAsAdministrator(
  settings: Settings,
  report: DoctorReport,
): Promise<string[]> {
  if (settings.admin === undefined || !isForAdministrator(report)) return [];
  const statements = administratorStatements(report);
  for (const { database, lines } of statements) {
    await runAsAdministrator(settings, connectionTo(database, settings), lines);
  }
  return statements.flatMap(({ lines }) => lines);
}

/** Whether an administrator can fix all that is missing; else the deployment is refused, and must change nothing. */
export function isForAdministrator(report: DoctorReport): boolean {
  return forPeople(report).length === 0 && administratorStatements(report).length > 0;
}

/** Those on whose behalf an administrator may act without asking. */
const ON_BEHALF_OF: ReadonlySet<RemedyBy> = new Set([
  'administrator',
  'owner of the database',
  'owner of the schema',
]);

function fixableBySql({ remedy }: CheckResult): SqlRemedy | undefined {
  return remedy?.kind === 'sql' && ON_BEHALF_OF.has(remedy.by) ? remedy : undefined;
}

function connectionTo(database: string, { work, cron }: Settings): ConnectionSettings {
  return database === work.database ? work : cron;
}

/** Runs these statements in one transaction, if the settings name an administrator. Raises RemedyError. */
export async function runAsAdministrator(
  { admin }: Settings,
  connection: ConnectionSettings,
  lines: readonly string[],
): Promise<void> {
  if (admin === undefined || lines.length === 0) return;
  await withClient(asAdministrator(connection, admin), (client) =>
    inTransaction(client, async () => {
      // While the administrator waits for someone else's lock, the application waits for the administrator.
      await client.query("SET LOCAL lock_timeout = '10s'");
      for (const line of lines) {
        await client.query(line).catch((cause: unknown) => {
          throw new RemedyError(line, connection.database, admin.user, cause);
        });
      }
    }),
  );
}
