import { describeRefusal } from '../database/describe-refusal.js';
import { remedyThen } from '../database/remedy-of.js';
import { PcacheError } from '../errors/pcache-error.js';
import { span } from '../migrations/span.js';
import type { Settings } from '../settings/settings.js';
import type { StreamChange } from './up-report.js';

/** The work database is migrated, the pg_cron database is not: says what is where and how to go on. */
export class CronStreamError extends PcacheError {
  override readonly name = 'CronStreamError';
  readonly work: StreamChange;

  constructor(settings: Settings, work: StreamChange, cause: Error) {
    super(
      `The work stream is up to date in database "${settings.work.database}" (applied now: ${span(work.migrations) || 'nothing'}), ` +
        `but the cron side in database "${settings.cron.database}" failed: ${describeRefusal(cause)}\n` +
        'Nothing is half done: the processor is not scheduled until the cron side is up.',
      { remedy: remedyThen(cause, 'run pcache-migrate up again; it continues here.'), cause },
    );
    this.work = work;
  }
}
