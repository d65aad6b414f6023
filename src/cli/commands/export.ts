import { EXIT_CODES } from '../../errors/exit-codes.js';
import { exportSettings } from '../../operations/transfer-settings.js';
import { defineCommand } from '../command.js';

export const exportCommand = defineCommand({
  name: 'export',
  details:
    'The rows of the configuration table and the settings of the deployment, without any password. Queue, cache and log are not in it.',
  examples: [['export > settings.json', 'To be imported elsewhere, or kept under version control']],
  positionals: {},
  options: {},
  run: async (_, context) => {
    const report = await exportSettings(context.settings());
    return { exitCode: EXIT_CODES.done, report, text: () => JSON.stringify(report, null, 2) };
  },
});
