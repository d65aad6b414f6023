import type { ClientBase } from 'pg';
import { withClient } from '../../database/connect.js';
import { deploymentTables } from '../../deployment/placeholder-values.js';
import { requireDeployed } from '../../deployment/require-deployed.js';
import { requireInPlace } from '../../deployment/require-in-place.js';
import { EXIT_CODES, type ExitCode } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { defaultJobName } from '../../processor/default-job-name.js';
import { type ManualRunReport, runProcessor } from '../../processor/run-processor.js';
import type { ConnectionSettings, Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import type { ProcessorRunReport } from '../json-shape.js';
import { emptyName, processorName, wholeNumber } from '../options.js';
import { counted } from '../output/text.js';

export const processorRunCommand = defineCommand({
  name: 'processor run',
  details:
    'Runs as the role of the jobs, even if the processor is disabled. Each fragment is settled on its own; Ctrl-C puts the current one back. Exit code 1 if a fragment failed.',
  examples: [
    ['processor run', 'Up to 100 fragments'],
    ['processor run --count 1', 'The next one, to see what comes of it'],
  ],
  positionals: processorName,
  options: {
    count: {
      type: 'string',
      requiresArg: true,
      default: '100',
      describe: 'At most so many fragments (default: 100)',
      coerce: wholeNumber('count', { from: 1 }),
    },
  },
  check: emptyName,
  run: async ({ name, count }, context) => {
    const settings = context.settings();
    const processor = name ?? defaultJobName(settings);
    await withClient(settings.work, async (work) => {
      await requireDeployed(work, settings, 'work');
      // Elsewhere the default processor still has its former name.
      if (name === undefined) await requireInPlace(work, settings);
    });
    const ran = await withClient(cronRoleInWork(settings), (work) =>
      runInterruptibly(work, settings, context, processor, count),
    );
    const report = { processor, ...ran };
    return {
      exitCode: exitCodeOf(report, context.world.interrupted),
      report,
      text: () => runText(settings, report, context.world.interrupted),
    };
  },
});

/**
 * Not the migrator: a fragment is untrusted SQL, and one that reads what the jobs may not read would
 * succeed here and fail there.
 */
function cronRoleInWork({ work, cron }: Settings): ConnectionSettings {
  return {
    ...work,
    user: cron.user,
    password: cron.password,
    ...(work.variables &&
      cron.variables && {
        variables: {
          ...work.variables,
          user: cron.variables.user,
          password: cron.variables.password,
        },
      }),
  };
}

/** One fragment at a time, so that Ctrl-C ends it between two; the current one is cancelled and put back. */
async function runInterruptibly(
  work: ClientBase,
  settings: Settings,
  { world: { interrupted }, onInterrupt }: Context,
  processor: string,
  count: number,
): Promise<ManualRunReport> {
  const { rows } = await work.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  onInterrupt(async () => {
    await withClient(cronRoleInWork(settings), (other) =>
      other.query('SELECT pg_catalog.pg_cancel_backend($1)', [rows[0]?.pid]),
    );
  });
  const outcomes: Record<string, number> = {};
  let processed = 0;
  while (processed < count && !interrupted.aborted) {
    const one = await runProcessor(work, settings, processor, 1);
    if (one.processed === 0) break;
    processed += one.processed;
    for (const [outcome, times] of Object.entries(one.outcomes)) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + times;
    }
  }
  return { processed, outcomes };
}

function exitCodeOf({ outcomes }: ProcessorRunReport, interrupted: AbortSignal): ExitCode {
  if (interrupted.aborted) return EXIT_CODES.interrupted;
  return outcomes.failed || outcomes.timeout ? EXIT_CODES.failed : EXIT_CODES.done;
}

function runText(
  settings: Settings,
  { processor, processed, outcomes }: ProcessorRunReport,
  interrupted: AbortSignal,
): string {
  const where = `in database "${settings.work.database}"`;
  const list = Object.entries(outcomes).map(([outcome, times]) => `${times} ${outcome}`);
  const log = deploymentTables(settings).processorLog;
  return [
    processed === 0
      ? `Nothing to do: no fragment is due ${where}.`
      : `Worked on ${counted(processed, 'fragment')} ${where} as processor "${shown(processor)}": ${list.join(', ')}.`,
    ...(outcomes.failed || outcomes.timeout ? [`The reasons are in the table ${log}.`] : []),
    ...(interrupted.aborted ? ['Interrupted: the current fragment is back in the queue.'] : []),
  ].join('\n');
}
