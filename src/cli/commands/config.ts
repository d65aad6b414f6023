import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { defaultJobName } from '../../processor/default-job-name.js';
import type { SettingsResult } from '../../settings/load.js';
import { SettingsError } from '../../settings/problem.js';
import type { Settings } from '../../settings/settings.js';
import { defineCommand } from '../command.js';
import { failureReport, failureText } from '../failure.js';
import type { ConfigReport, DerivedConfiguration } from '../json-shape.js';
import type { Style } from '../output/style.js';
import { table } from '../output/table.js';
import { paragraphs } from '../output/text.js';

export const configCommand = defineCommand({
  name: 'config',
  details: `Reads no database. Exit code ${EXIT_CODES.usage} if the configuration is not valid; all that is wrong is shown.`,
  examples: [
    ['config', 'Of the environment and .env'],
    ['config --env-file staging.env --json', 'Of another file, for a program'],
  ],
  positionals: {},
  options: {},
  run: async (_, context) => {
    const report = configReport(context.readSettings());
    return {
      exitCode: report.error === undefined ? EXIT_CODES.done : EXIT_CODES.usage,
      report,
      text: (style) => configText(report, style),
    };
  },
});

function configReport(result: SettingsResult): ConfigReport {
  return {
    variables: result.resolved,
    ...(result.ok
      ? { deployment: derived(result.settings) }
      : { error: failureReport(new SettingsError(result.problems)) }),
  };
}

function derived(settings: Settings): DerivedConfiguration {
  const { mode, transport, schema, cronSchema } = settings;
  return { mode, transport, schema, cronSchema, processor: defaultJobName(settings) };
}

function configText({ variables, deployment, error }: ConfigReport, style: Style): string {
  return paragraphs(
    table(
      style,
      ['variable', 'value', 'source'],
      variables.map(({ name, value, source }) => [name, value ?? '-', source]),
    ),
    deployment &&
      [
        `Mode: ${deployment.mode}; transport: ${deployment.transport}.`,
        `Own schema in the work database: ${deployment.schema}; in the pg_cron database: ${deployment.cronSchema}.`,
        `Processor: ${shown(deployment.processor)}`,
      ].join('\n'),
    error && failureText(error, style),
  );
}
