import { withClient } from '../database/connect.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { inTransaction } from '../database/in-transaction.js';
import { PcacheError } from '../errors/pcache-error.js';
import {
  type AdministratorSettings,
  asAdministrator,
  type ConnectionSettings,
  type Settings,
} from '../settings/settings.js';
import type { CheckResult, DoctorReport, RemedyBy, SqlRemedy } from './check-result.js';

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

/**
 * Runs the statements that fix what the report says is missing, as the administrator, and returns them.
 * Runs none if something is missing that only a person can fix: the deployment is then refused anyway,
 * and must have changed nothing.
 */
export async function applyRemediesAsAdministrator(
  settings: Settings,
  { checks }: DoctorReport,
): Promise<string[]> {
  const { admin } = settings;
  if (admin === undefined) return [];
  const missing = checks.filter(({ status }) => status === 'failed' || status === 'warning');
  if (missing.some((check) => check.status === 'failed' && fixableBySql(check) === undefined)) {
    return [];
  }
  const remedies = missing.flatMap((check) => fixableBySql(check) ?? []);
  const lines: string[] = [];
  for (const database of new Set(remedies.map(({ database }) => database))) {
    const statements = remedies
      .filter((remedy) => remedy.database === database)
      .flatMap((remedy) => remedy.lines);
    await runInDatabase(connectionTo(database, settings), admin, [...new Set(statements)]);
    lines.push(...new Set(statements));
  }
  return lines;
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

async function runInDatabase(
  connection: ConnectionSettings,
  admin: AdministratorSettings,
  lines: readonly string[],
): Promise<void> {
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
