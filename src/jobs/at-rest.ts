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
  if (/^CALL \S+\.run_maintenance\(\)$/u.test(command)) return /^\d+ \* \* \* \*$/u.test(schedule);
  const slot = Number(/^CALL .*\.run_processor\(.*, (\d+)\)$/su.exec(command)?.[1]);
  return slot > 1 && schedule === '0 0 30 2 *';
}
