import type { Reached } from '../database/with-client-if-reachable.js';
import type { Settings } from '../settings/settings.js';
import type { Check } from './check-result.js';

export interface Context {
  readonly settings: Settings;
  /** The work database as the migrator. */
  readonly work: Reached;
  /** The pg_cron database as the cron role; undefined if only the work stream is requested. */
  readonly cron: Reached | undefined;
  /** The pg_cron database as the administrator, if the settings name one. */
  readonly admin: Reached | undefined;
}

export type DoctorCheck = Check<Context>;
