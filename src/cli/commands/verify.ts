import { isMoved } from '../../deployment/whereabouts.js';
import { EXIT_CODES, type ExitCode } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { type AnewPreview, recordAnew } from '../../operations/record-anew.js';
import {
  type FixReport,
  fix,
  isMendable,
  isOurs,
  restorableOf,
  type VerifyReport,
  verify,
} from '../../operations/verify.js';
import type { Settings } from '../../settings/settings.js';
import { type Context, defineCommand } from '../command.js';
import { confirmed } from '../confirm.js';
import { waitLock } from '../options.js';
import { objectDifferences } from '../output/differences.js';
import { jobActions } from '../output/jobs.js';
import { type Style, safeFor } from '../output/style.js';
import { table } from '../output/table.js';
import { counted, indented, paragraphs } from '../output/text.js';
import { movedText } from '../output/whereabouts.js';
import { UsageError } from '../usage-error.js';

export const verifyCommand = defineCommand({
  name: 'verify',
  details:
    `Changes nothing without --fix, and works on a standby and with a role that may only read. Exit code ${EXIT_CODES.pending} if something differs, ` +
    `${EXIT_CODES.failed} if nothing does but something could not be looked at. --fix restores definitions, names, owners, grants and jobs, and makes again what was dropped, ` +
    'a table without its rows. It changes no rows and no type of a column, and removes nothing that others made.',
  examples: [
    ['verify', 'What differs, what that means and what mends it'],
    ['verify --fix', 'Restore what can be restored, after asking'],
    ['verify --json | jq .databases[].differences', 'For a pipeline, after a deployment'],
  ],
  positionals: {},
  options: {
    fix: {
      type: 'boolean',
      describe: 'Restore what can be restored, in one transaction for each database',
    },
    yes: {
      type: 'boolean',
      describe: 'With --fix or --record-anew: do not ask',
    },
    'record-anew': {
      type: 'boolean',
      describe:
        'Write the ledger and the record of the objects anew, where they are lost: as this version writes them, and as the objects are now',
    },
    'as-planner': {
      type: 'boolean',
      describe: 'Connect as PG_PLAN_USER, who may only read; the jobs are then unknown',
    },
    ...waitLock,
  },
  check: ({ fix, yes, 'record-anew': anew, 'as-planner': asPlanner }) => {
    if (fix && anew)
      return '--fix restores what was recorded, --record-anew does not: leave one out.';
    if ((fix || anew) && asPlanner) return '--as-planner may only read: leave it out.';
    return yes && !fix && !anew
      ? '--yes answers the question of --fix or --record-anew.'
      : undefined;
  },
  run: async (args, context) => {
    const settings = context.settings();
    if (args['record-anew']) {
      const written = await recordAnew(settings, {
        confirm: async (found) => args.yes === true || confirmAnew(found, context),
        ...context.lockWait(args['wait-lock']),
        log: context.log,
      });
      const report = fixReport(await verify(settings), written);
      return {
        exitCode: report.confirmed ? exitCodeOf(report) : EXIT_CODES.failed,
        report,
        text: (style) =>
          report.confirmed ? fixText(settings, report, context, style) : 'Nothing was changed.',
      };
    }
    if (!args.fix) {
      const asPlanner = args['as-planner'];
      if (asPlanner && settings.planner === undefined) {
        throw new UsageError('--as-planner needs a role to connect as.', 'Set PG_PLAN_USER.');
      }
      const report = await verify(settings, { asPlanner });
      return {
        exitCode: exitCodeOf(report),
        report,
        text: (style) => verifyText(settings, report, context, style),
      };
    }
    const report = await fix(settings, {
      confirm: async (found) => args.yes === true || confirmFix(found, settings, context),
      ...context.lockWait(args['wait-lock']),
      log: context.log,
    });
    return {
      exitCode: report.confirmed ? exitCodeOf(report) : EXIT_CODES.failed,
      report,
      text: (style) =>
        report.confirmed ? fixText(settings, report, context, style) : 'Nothing was changed.',
    };
  },
});

function exitCodeOf(report: VerifyReport): ExitCode {
  const { clean, whereabouts, ledger, databases, jobs, notStarted, link } = report;
  if (clean) return EXIT_CODES.done;
  const differs =
    isMoved(whereabouts) ||
    ledger.length > 0 ||
    jobs.length > 0 ||
    notStarted !== undefined ||
    link !== undefined ||
    databases.some(({ differences }) => differences.length > 0);
  return differs ? EXIT_CODES.pending : EXIT_CODES.failed;
}

async function confirmFix(
  found: VerifyReport,
  settings: Settings,
  { world, stderrStyle }: Context,
): Promise<boolean> {
  const steps = stepsOf(found, settings);
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    throw new UsageError(
      `To be restored:\n${steps.map((step) => `  ${step}`).join('\n')}\nNothing was changed.`,
      'If that is right, pass --yes.',
    );
  }
  return confirmed(
    world,
    safeFor(stderrStyle, paragraphs('To be restored:', indented(steps.join('\n')), 'Go on?')),
  );
}

async function confirmAnew(
  found: readonly AnewPreview[],
  { world, stderrStyle }: Context,
): Promise<boolean> {
  const what = [
    'To be written anew, of what was deployed by this version of pcache-migrate:',
    ...found.map(
      ({ stream, database, migrations }) =>
        `  in database "${database}": the ledger of the ${stream} stream (${counted(migrations, 'migration')}), and the record of its objects`,
    ),
    'What somebody changed there by hand until now counts as released afterwards.',
  ].join('\n');
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    throw new UsageError(`${what}\nNothing was changed.`, 'If that is right, pass --yes.');
  }
  return confirmed(world, safeFor(stderrStyle, paragraphs(what, 'Go on?')));
}

function fixReport(report: VerifyReport, written: readonly AnewPreview[] | undefined): FixReport {
  return {
    ...report,
    confirmed: written !== undefined,
    restored: (written ?? []).map(({ database, stream }) => ({
      database,
      object: `the ledger of the ${stream} stream, and the record of its objects`,
      problem: 'changed' as const,
    })),
    refused: [],
    jobActions: [],
  };
}

const ACTS = { missing: 'make', changed: 'replace', unexpected: 'take away' } as const;
const DONE = { missing: 'made', changed: 'put right', unexpected: 'took away' } as const;

/** In words: a difference `grant table t TO PUBLIC` may be one that is taken away. */
function inWords(object: string): string {
  const [, kind = '', rest = ''] = /^(grant|owner|comment) (.*)$/s.exec(object) ?? [];
  if (kind === '') return shown(object);
  const at = rest.lastIndexOf(' TO ');
  return kind === 'grant' && at >= 0
    ? `the grant on ${shown(rest.slice(0, at))} to ${shown(rest.slice(at + ' TO '.length))}`
    : `the ${kind} of ${shown(rest)}`;
}

function stepsOf({ databases, jobs }: VerifyReport, settings: Settings): string[] {
  return [
    ...databases.flatMap((report) => [
      ...restorableOf(report).map(
        ({ kind, identity, problem }) =>
          `in database "${report.database}": ${ACTS[problem]} ${inWords(`${kind} ${identity}`)}`,
      ),
      ...report.notCompared.map(
        ({ kind, identity }) =>
          `in database "${report.database}": make ${kind} ${shown(identity)} again, if it can be, to have it printed by this version of PostgreSQL`,
      ),
    ]),
    ...jobs
      .filter(isOurs)
      .map(
        ({ jobName, problem }) =>
          `in database "${settings.cron.database}": job ${shown(jobName)}, which is ${problem}`,
      ),
  ];
}

function verifyText(
  settings: Settings,
  report: VerifyReport,
  context: Context,
  style: Style,
): string {
  return paragraphs(
    report.ledger.length > 0 &&
      `${style.bold('The ledger is at odds with this package')}\n${indented(report.ledger.join('\n'))}`,
    ...report.databases.map((one) => objectDifferences(one, style)),
    jobText(report, style),
    report.notStarted !== undefined &&
      `${style.bold('Jobs that are not started')}\n${indented(`${report.notStarted} Why, and what to do: ${context.invocation('doctor')}`)}`,
    report.link &&
      `${style.bold('The link to the pg_cron database is not as the settings say')}\n` +
        `  expected: ${shown(report.link.expected)}\n  found:    ${shown(report.link.found)}\n` +
        `  Remedy: ${context.invocation('up')}`,
    report.unknown.length > 0 &&
      `${style.warning('Not looked at:')}\n${report.unknown.map((why) => indented(shown(why))).join('\n')}\n` +
        `  What a role or the server lacks for that: ${context.invocation('doctor')}`,
    conclusion(settings, report, context, style),
  );
}

function jobText({ jobs }: VerifyReport, style: Style): string {
  if (jobs.length === 0) return '';
  return `${style.bold('Jobs that are not as configured')}\n${indented(
    table(
      style,
      ['job', 'problem', 'desired', 'actual'],
      jobs.map(({ jobName, problem, desired, actual }) => [
        jobName,
        problem,
        desired ?? '-',
        actual ?? '-',
      ]),
    ),
  )}`;
}

function conclusion(
  settings: Settings,
  report: VerifyReport,
  { invocation }: Context,
  style: Style,
): string {
  if (report.clean) {
    const objects = report.databases
      .map(({ database, objects }) => `${counted(objects, 'definition')} in database "${database}"`)
      .join(' and ');
    return style.good(
      `As the releases left it: ${objects}, and pg_cron's jobs in "${settings.cron.database}".`,
    );
  }
  if (isMoved(report.whereabouts)) {
    return movedText(report.whereabouts, settings, { invocation }, style);
  }
  if (isMendable(report)) {
    return style.warning(`What can be restored is restored by: ${invocation('verify --fix')}`);
  }
  return style.warning(
    exitCodeOf(report) === EXIT_CODES.pending
      ? 'None of this is restored by --fix: see the remedies.'
      : 'Nothing differs, as far as it could be looked at.',
  );
}

function fixText(settings: Settings, report: FixReport, context: Context, style: Style): string {
  const { restored, refused } = report;
  return paragraphs(
    restored.length > 0 &&
      `Restored:\n${restored.map(({ database, object, problem }) => `  in database "${database}": ${DONE[problem]} ${inWords(object)}`).join('\n')}`,
    jobActions(settings, report.jobActions),
    refused.length > 0 &&
      `${style.bad('Not restored:')}\n${refused
        .map(
          ({ database, object, reason }) =>
            `  in database "${database}": ${shown(object)}\n${indented(reason, '    ')}`,
        )
        .join('\n')}`,
    restored.length === 0 && report.jobActions.length === 0 && 'Nothing was restored.',
    verifyText(settings, report, context, style),
  );
}
