import { escapeIdentifier } from 'pg';
import { describeRefusal } from '../../database/describe-refusal.js';
import { remedyThen } from '../../database/remedy-of.js';
import { version } from '../../deployment/package-version.js';
import { EXIT_CODES } from '../../errors/exit-codes.js';
import { ofOneStep } from '../../errors/of-one-step.js';
import { PcacheError } from '../../errors/pcache-error.js';
import { pasteable, shown } from '../../errors/shown.js';
import type { LedgerError } from '../../migrations/ledger-error.js';
import { envLine } from '../../settings/env-line.js';
import type { Mode, Settings } from '../../settings/settings.js';

/** The settings do not say what the command line says. */
export class ModeMismatchError extends PcacheError {
  override readonly name = 'ModeMismatchError';

  constructor({ work, cron, mode }: Settings, wanted: Mode) {
    super(
      mode === 'single'
        ? `PG_CRON_DATABASE and DB_NAME are both "${work.database}": that is single mode.`
        : `PG_CRON_DATABASE is "${cron.database}", and DB_NAME is "${work.database}": that is cross mode.`,
      {
        remedy:
          wanted === 'single'
            ? `Set ${envLine('PG_CRON_DATABASE', work.database)} (and no PCACHE_CRON_TRANSPORT), and give the command again.`
            : 'Set PG_CRON_DATABASE to the database that pg_cron shall be in, and give the command again.',
        exitCode: EXIT_CODES.usage,
      },
    );
  }
}

export class ServedDatabaseUnknownError extends PcacheError {
  override readonly name = 'ServedDatabaseUnknownError';

  constructor({ cron, admin }: Settings) {
    super(
      'It cannot be told whose jobs pg_cron starts: cron.database_name is hidden from the roles of the settings, and no scheduler of pg_cron is running. Nothing was changed.',
      {
        remedy:
          admin === undefined
            ? `Set PG_ADMIN_USER and PG_ADMIN_PASSWORD, or have an administrator run: GRANT pg_read_all_settings TO "${cron.user}"; and see in the server's log why the scheduler does not run.`
            : "See in the server's log why the scheduler does not run; is pg_cron in shared_preload_libraries?",
      },
    );
  }
}

/** The cron stream would come back as an older one than what is applied. */
export class OlderCronStreamError extends PcacheError {
  override readonly name = 'OlderCronStreamError';

  constructor(database: string, newer: string) {
    super(
      `Database "${database}" was migrated by pcache-migrate ${shown(newer)}, and this is ${version()}, which would deploy an older cron stream in the new place. Nothing was changed.`,
      { remedy: `Install pcache-migrate ${shown(newer)} or later.` },
    );
  }
}

/** What is in the old place under this deployment's name is nothing that may be read or taken back. */
export class OldPlaceNotOursError extends PcacheError {
  override readonly name = 'OldPlaceNotOursError';

  constructor(old: Settings, mode: Mode, cause: LedgerError) {
    const { database } = old.cron;
    super(
      `This deployment's cron stream is recorded to be in database "${shown(database)}", and what is there in the schema "${old.cronSchema}" is not its own. Nothing was changed.`,
      {
        remedy: [
          `If it is this deployment's all the same: pcache-migrate verify, with ${envLine('PG_CRON_DATABASE', database)}, says what was changed and what mends it.`,
          `If not, and nobody needs it, drop it there, as its owner or an administrator: ${pasteable(`DROP SCHEMA ${escapeIdentifier(old.cronSchema)} CASCADE;`)} Then run pcache-migrate mode ${mode} again.`,
        ].join('\n'),
        cause,
      },
    );
  }
}

/** What stays where it is has to be complete before the rest is moved. */
export class WorkStreamPendingError extends PcacheError {
  override readonly name = 'WorkStreamPendingError';

  constructor(database: string, pending: number, cronDatabase: string | undefined) {
    super(
      `The work stream in database "${database}" is not up to date: ${pending} ${pending === 1 ? 'migration is' : 'migrations are'} pending. Nothing was changed.`,
      {
        remedy:
          cronDatabase === undefined
            ? 'Run pcache-migrate up --stream work, then this command again.'
            : `Run pcache-migrate up with ${envLine('PG_CRON_DATABASE', cronDatabase)}, as it was, then this command with the new settings.`,
      },
    );
  }
}

/** `undefined` where that could not be seen. */
export type IsHeld = boolean | undefined;

/** A step of the way failed; the command goes on there when it is given again. */
export class ModeUnfinishedError extends PcacheError {
  override readonly name = 'ModeUnfinishedError';

  constructor(settings: Settings, done: readonly string[], isHeld: IsHeld, cause: unknown) {
    super(
      [
        `The way to pg_cron in database "${settings.cron.database}" is not finished: ${ofOneStep(describeRefusal(cause))}`,
        `Done so far in this run: ${done.join('; ') || 'nothing'}. ${heldText(isHeld)}`,
      ].join('\n'),
      {
        remedy: remedyThen(
          cause,
          `run pcache-migrate mode ${settings.mode} again; it goes on where it stopped.`,
        ),
        cause,
      },
    );
  }
}

function heldText(isHeld: IsHeld): string {
  if (isHeld === undefined) return 'Whether processing is held could not be seen.';
  return isHeld
    ? 'Processing is held until it is finished; what is queued waits.'
    : 'Processing is not held.';
}
