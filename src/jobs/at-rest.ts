/** Whether a job on demand is not due until there is work: by what rest_schedule in the pg_cron database gives. */
export function isAtRest({
  command,
  schedule,
}: {
  readonly command: string;
  readonly schedule: string;
}): boolean {
  return command.endsWith('.run_maintenance()')
    ? /^\d+ \* \* \* \*$/u.test(schedule)
    : schedule === '0 0 30 2 *';
}
