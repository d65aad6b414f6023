import { EXIT_CODES } from '../../errors/exit-codes.js';
import { resume } from '../../operations/pause.js';
import { defineCommand } from '../command.js';
import { holdsText } from '../output/holds.js';
import { paragraphs } from '../output/text.js';

export const resumeCommand = defineCommand({
  name: 'resume',
  details:
    'Needs the work database alone, deployed by any version of this package. pg_cron starts the runs when their schedule comes: within a second or so, and before pg_cron 1.5 within a minute.',
  examples: [['resume', 'Go on']],
  positionals: {},
  options: {},
  run: async (_args, context) => {
    const settings = context.settings();
    const report = await resume(settings);
    const database = `database "${settings.work.database}"`;
    return {
      exitCode: EXIT_CODES.done,
      report,
      text: (style) =>
        paragraphs(
          !report.resumed && `Nothing to do: ${database} was not paused.`,
          report.resumed &&
            report.holds.length === 0 &&
            style.good(`Processing of ${database} goes on.`),
          report.resumed && report.holds.length > 0 && `The pause of ${database} is ended.`,
          report.holds.length > 0 &&
            style.warning(
              `Nothing is processed yet, since something else holds it:\n${holdsText(report.holds, context.world.now())}`,
            ),
        ),
    };
  },
});
