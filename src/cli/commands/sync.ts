import { EXIT_CODES } from '../../errors/exit-codes.js';
import { sync } from '../../operations/sync.js';
import { defineCommand } from '../command.js';
import { waitLock } from '../options.js';
import { jobActions } from '../output/jobs.js';
import { paragraphs } from '../output/text.js';

export const syncCommand = defineCommand({
  name: 'sync',
  details:
    'After a change by SQL where the transport is deploy, and the repair when status shows drift.',
  examples: [
    ['sync', 'Apply the difference'],
    ['sync --json | jq .jobs', 'What was done to which job'],
  ],
  positionals: {},
  options: waitLock,
  run: async ({ 'wait-lock': waitSeconds }, context) => {
    const settings = context.settings();
    const report = await sync(settings, context.lockWait(waitSeconds));
    return {
      exitCode: EXIT_CODES.done,
      report,
      text: (style) =>
        paragraphs(
          report.jobs.some(({ action }) => action !== 'left')
            ? ''
            : `Nothing to do: the jobs of pg_cron in database "${settings.cron.database}" are as configured.`,
          jobActions(settings, report.jobs),
          report.notStarted === undefined
            ? ''
            : style.warning(
                `${report.notStarted} Why, and what to do: ${context.invocation('doctor')}`,
              ),
        ),
    };
  },
});
