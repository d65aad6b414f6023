import { escapeLiteral } from 'pg';
import { hasExtension } from '../../database/catalogue.js';
import { withClient } from '../../database/connect.js';
import type { AdministratorStatements } from '../../doctor/apply-remedies.js';
import { leastGrants } from '../../doctor/checks/cron-grants.js';
import { grantLine } from '../../doctor/grants.js';
import { pasteable } from '../../errors/shown.js';
import type { Settings } from '../../settings/settings.js';
import { carryOver, type JobsOfOthers } from './jobs-of-others.js';

/** What has to be done by hand, as an administrator, before the command can go on. */
export interface Stop {
  readonly before: readonly AdministratorStatements[];
  /** Null where no restart is needed. */
  readonly restart: Restart | null;
  /** After the restart. */
  readonly after: readonly AdministratorStatements[];
  /** Whether the lines that make the jobs of others again come only when the command has made the extension. */
  readonly carriesOverLater: boolean;
}

export interface Restart {
  /** The database whose jobs pg_cron starts until then. */
  readonly from: string;
  readonly to: string;
  /** Of the server; null where none of our roles may see it. */
  readonly dataDirectory: string | null;
}

/** Whose jobs pg_cron starts is decided when the server starts. */
export async function stopForRestart(
  settings: Settings,
  restart: Restart,
  others: readonly JobsOfOthers[],
): Promise<Stop> {
  const { database } = settings.cron;
  const isThere = await withClient(settings.cron, (client) => hasExtension(client, 'pg_cron'));
  // The command makes it itself where it knows an administrator; a job can be made again only then.
  const isMadeLater = !isThere && settings.admin !== undefined;
  const lines = isMadeLater ? [] : carryOver(others);
  const after = isThere || isMadeLater ? lines : [...extensionLines(settings), ...lines];
  return {
    before: [
      {
        database: settings.work.database,
        lines: [pasteable(`ALTER SYSTEM SET cron.database_name = ${escapeLiteral(database)};`)],
      },
    ],
    restart,
    after: after.length === 0 ? [] : [{ database, lines: after }],
    carriesOverLater: isMadeLater && carryOver(others).length > 0,
  };
}

function extensionLines({ cron }: Settings): string[] {
  return ['CREATE EXTENSION pg_cron;', ...leastGrants(cron.user).map(grantLine).map(pasteable)];
}
