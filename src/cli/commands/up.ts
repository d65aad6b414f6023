import { EXIT_CODES } from '../../errors/exit-codes.js';
import type { StreamName } from '../../migrations/streams.js';
import { type UpReport, up } from '../../operations/up.js';
import type { Settings } from '../../settings/settings.js';
import { defineCommand } from '../command.js';
import { stream, verbose, waitLock } from '../options.js';
import { jobActions } from '../output/jobs.js';
import { administratorText, appliedText } from '../output/migrations.js';
import { paragraphs } from '../output/text.js';

const BOTH: readonly StreamName[] = ['work', 'cron'];

export const upCommand = defineCommand({
  name: 'up',
  summary: 'Apply the pending migrations, work first, then cron, and bring the jobs up to date',
  details:
    'Runs the checks of doctor first and changes nothing if one fails. Safe to run again: it goes on where it stopped.',
  examples: [
    ['up', 'Both streams, all that is pending'],
    ['up --json --wait-lock 300', 'In a pipeline'],
    ['up --stream work --to <migration>', 'One stream, up to a migration that status names'],
  ],
  positionals: {},
  options: {
    ...stream,
    to: {
      type: 'string',
      requiresArg: true,
      describe: 'The last migration to apply; needs --stream',
    },
    ...verbose,
    ...waitLock,
  },
  check: ({ to, stream }) =>
    to !== undefined && stream === undefined
      ? '--to names a migration of one stream: add --stream work or --stream cron.'
      : undefined,
  run: async ({ stream, to, verbose, 'wait-lock': waitSeconds }, context) => {
    const settings = context.settings();
    const report = await up(settings, {
      streams: stream === undefined ? BOTH : [stream],
      to,
      ...context.lockWait(waitSeconds),
      log: context.log,
      onProgress: context.onProgress,
    });
    return { exitCode: EXIT_CODES.done, report, text: () => upText(settings, report, verbose) };
  },
});

export function upText(
  settings: Settings,
  { administrator, streams, fragmentRole, jobs, linkRenewed }: UpReport,
  verbose: boolean,
): string {
  return paragraphs(
    administratorText(administrator),
    ...streams.map((change) => appliedText(change, verbose)),
    fragmentRole === null
      ? ''
      : `From now on, fragments have the rights of role "${fragmentRole}", and no others.`,
    linkRenewed ? 'Renewed the link from the work database to pg_cron, and tried it.' : '',
    jobActions(settings, jobs),
  );
}
