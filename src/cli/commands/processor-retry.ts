import { withClient } from '../../database/connect.js';
import { requireDeployed } from '../../deployment/require-deployed.js';
import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { readProcessors } from '../../processor/read-processors.js';
import {
  RETRY_STATUSES,
  type RetrySelection,
  retryFragments,
  type UnknownHash,
} from '../../processor/retry-fragments.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import type { ProcessorRetryReport } from '../json-shape.js';
import type { Style } from '../output/style.js';
import { counted, paragraphs } from '../output/text.js';

export const processorRetryCommand = defineCommand({
  name: 'processor retry',
  details:
    'All or none, in one transaction; what is queued already does not wait any longer. Until it is evaluated again, nothing is known of such a fragment; its priority is 1. Also put back is what was set aside because its runs died: to leave such a fragment out, name the others by --hash. Exit code 1 if a given hash has no such fragment.',
  examples: [
    ['processor retry', 'Whatever failed or timed out'],
    ['processor retry --dry-run', 'How many that would be'],
    ['processor retry --status timeout --partition-key zipcode', 'Only some'],
    ['processor retry --hash 3f2a9c --hash b01d77', 'Two fragments'],
    ['processor retry --status limit', 'After "processor set --result-limit" has raised the limit'],
  ],
  positionals: {},
  options: {
    status: {
      type: 'string',
      array: true,
      requiresArg: true,
      choices: RETRY_STATUSES,
      describe:
        'Only what ended like this: failed, timeout or limit; may be given again (default: failed, timeout)',
    },
    hash: {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Only the fragment with this hash; may be given again',
    },
    'partition-key': {
      type: 'string',
      requiresArg: true,
      describe: 'Only fragments of this partition key',
    },
    'dry-run': {
      type: 'boolean',
      default: false,
      describe: 'Say what would be done, and change nothing',
    },
  },
  check: (args) =>
    args.hash?.includes('')
      ? 'A --hash is empty.'
      : args['partition-key'] === ''
        ? 'The --partition-key is empty.'
        : undefined,
  run: async (args, context) => {
    const settings = context.settings();
    const selection = {
      statuses: RETRY_STATUSES.filter((status) =>
        (args.status ?? ['failed', 'timeout']).includes(status),
      ),
      hashes: args.hash,
      partitionKey: args['partition-key'],
    };
    const { enabled, ...report } = await retry(settings, selection, args['dry-run']);
    return {
      exitCode: report.unknown.length > 0 ? EXIT_CODES.failed : EXIT_CODES.done,
      report,
      text: (style) => retryText(settings, report, enabled, context, style),
    };
  },
});

function retry(
  settings: Settings,
  selection: RetrySelection,
  dryRun: boolean,
): Promise<ProcessorRetryReport & { enabled: boolean }> {
  return withClient(settings.work, async (work) => {
    await requireDeployed(work, settings, 'work');
    const report = await retryFragments(work, settings, selection, { dryRun });
    const processors = await readProcessors(work, settings);
    return {
      dryRun,
      statuses: selection.statuses,
      ...report,
      enabled: processors.some(({ enabled }) => enabled),
    };
  });
}

function retryText(
  settings: Settings,
  { dryRun, statuses, putBack, queuedAlready, inUse, unknown }: ProcessorRetryReport,
  enabled: boolean,
  { invocation }: Context,
  style: Style,
): string {
  const kind = `with status ${new Intl.ListFormat('en', { type: 'disjunction' }).format(statuses)}`;
  const where = `of database "${settings.work.database}"`;
  const touched = putBack + queuedAlready > 0;
  return paragraphs(
    [
      putBack > 0
        ? `${dryRun ? 'Would put' : 'Put'} ${counted(putBack, 'fragment')} ${kind} back into the queue ${where}.`
        : `Nothing to put back into the queue ${where}.`,
      queuedAlready > 0 &&
        `In the queue already, and due at once ${dryRun ? 'then' : 'now'}: ${counted(queuedAlready, 'fragment')}.`,
      inUse > 0 &&
        style.warning(
          `Left alone ${counted(inUse, 'fragment')} that another session is settling or changing at this moment.`,
        ),
    ]
      .filter((line) => line !== false)
      .join('\n'),
    unknown.length > 0 && style.bad(unknownText(unknown, kind)),
    touched && !dryRun && nextStep(enabled, invocation),
  );
}

function unknownText(unknown: readonly UnknownHash[], kind: string): string {
  return [
    `No fragment ${kind} has ${unknown.length === 1 ? 'this hash' : 'these hashes'}:`,
    ...unknown.map(({ queryHash, states }) => {
      const known = states.map(({ partitionKey, state }) => `${state} (${shown(partitionKey)})`);
      return `  ${shown(queryHash)}: ${known.join(', ') || 'unknown'}`;
    }),
  ].join('\n');
}

function nextStep(enabled: boolean, invocation: Context['invocation']): string {
  return enabled
    ? `See what comes of it: ${invocation('processor status')}`
    : `No processor is enabled, so nothing is evaluated yet. Start with: ${invocation('processor enable')}`;
}
