import type { Settings } from '../settings/settings.js';
import type { Check } from './check-result.js';
import type { Reached } from './reach.js';

export interface Context {
  readonly settings: Settings;
  /** The work database as the migrator. */
  readonly work: Reached;
  /** The pg_cron database as the cron role; undefined where only the work stream is asked for. */
  readonly cron: Reached | undefined;
  /** The pg_cron database as the administrator, where there is one in the settings. */
  readonly admin: Reached | undefined;
}

export type DoctorCheck = Check<Context>;
