import { SCHEMA_NAME } from './own-commands.js';

const MAINTENANCE = new RegExp(`^CALL ${SCHEMA_NAME}[.]run_maintenance[(][)]$`, 'u');
const SLOT = new RegExp(`^CALL ${SCHEMA_NAME}[.]run_processor[(].*, (?<slot>[0-9]+)[)]$`, 'su');

/**
 * Whether a job on demand is not due until there is work: by what rest_schedule in the pg_cron database gives. A
 * processor's first slot never rests.
 */
export function isAtRest({
  command,
  schedule,
}: {
  readonly command: string;
  readonly schedule: string;
}): boolean {
  if (MAINTENANCE.test(command)) return /^\d+ \* \* \* \*$/u.test(schedule);
  const slot = Number(SLOT.exec(command)?.groups?.slot);
  return slot > 1 && schedule === '0 0 30 2 *';
}
