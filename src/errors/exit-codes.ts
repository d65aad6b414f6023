/** Every exit code, for the commands, their help and the README. */
export const EXIT_CODES = {
  done: 0,
  failed: 1,
  usage: 2,
  pending: 3,
  busy: 4,
  planChanged: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

export const EXIT_CODE_MEANINGS: Readonly<Record<keyof typeof EXIT_CODES, string>> = {
  done: 'done, or nothing to do',
  failed: 'failed, or refused by a check or an answer',
  usage: 'wrong usage or configuration; nothing was changed',
  pending:
    'something is pending (plan, status, mode), or has drifted (status, fleet, verify, mode)',
  busy: 'busy: another run of pcache-migrate holds the lock',
  planChanged: 'the plan is no longer the one that was approved; nothing was changed',
  interrupted: 'interrupted (Ctrl-C, SIGTERM or SIGHUP)',
};
