import { EXIT_CODES } from '../errors/exit-codes.js';
import type { StreamName } from '../migrations/streams.js';
import { type PlanReport, type PlanRequest, plan } from '../operations/plan.js';
import type { RollbackExtent } from '../operations/rollback-extent.js';
import type { Context, Outcome } from './command.js';
import { planMarkdown } from './output/plan-markdown.js';
import { planText } from './output/plan-text.js';
import { shellWord } from './shell-word.js';

export interface PlanArguments {
  readonly stream?: string | undefined;
  readonly to?: string | undefined;
  readonly down?: boolean | undefined;
  readonly count?: number | undefined;
  readonly all?: boolean | undefined;
  readonly 'drop-data'?: boolean | undefined;
  readonly verbose: boolean;
  /** Most characters of markdown; undefined: text for a terminal. */
  readonly limit?: number | undefined;
}

const BOTH: readonly StreamName[] = ['work', 'cron'];

/** What `plan` prints, and `up` and `down` when they are only to say what they would do. */
export async function showPlan(
  args: PlanArguments,
  context: Context,
): Promise<Outcome<PlanReport>> {
  const report = await plan(context.settings(), requestOf(args));
  const { hash, isPending } = report;
  const again = ['plan', ...givenOptions(args)].join(' ');
  return {
    exitCode: isPending ? EXIT_CODES.pending : EXIT_CODES.done,
    report,
    text: (style) =>
      args.limit === undefined
        ? planText(report, style, {
            verbose: args.verbose,
            apply: args.down
              ? ''
              : context.invocation(['up', ...givenOptions(args), '--plan', hash].join(' ')),
          })
        : planMarkdown(report, {
            limit: args.limit,
            verbose: context.invocation(`${again} --verbose`),
          }),
  };
}

function requestOf({ stream, to, down, count, all, ...args }: PlanArguments): PlanRequest {
  const streams = stream === undefined ? BOTH : [stream as StreamName];
  if (!down) return { direction: 'up', streams, to };
  const extent = extentOf({ to, count, all });
  return { direction: 'down', streams, extent, dropData: args['drop-data'] };
}

/** The last release, unless told otherwise. */
export function extentOf(args: {
  to?: string | undefined;
  count?: number | undefined;
  all?: boolean | undefined;
}): RollbackExtent {
  if (args.all) return { all: true };
  if (args.count !== undefined) return { count: args.count };
  if (args.to === undefined) return { lastRelease: true };
  if (/^[1-9]\d{0,8}$/.test(args.to)) return { toRelease: Number(args.to) };
  return /^v?\d+\.\d+\.\d+/.test(args.to)
    ? { toVersion: args.to.replace(/^v/, '') }
    : { to: args.to };
}

function givenOptions({ stream, to, down, count, all, ...args }: PlanArguments): string[] {
  return [
    ...(down ? ['--down'] : []),
    ...(stream === undefined ? [] : ['--stream', stream]),
    ...(to === undefined ? [] : ['--to', shellWord(to)]),
    ...(count === undefined ? [] : ['--count', String(count)]),
    ...(all ? ['--all'] : []),
    ...(args['drop-data'] ? ['--drop-data'] : []),
  ];
}
