import type { CheckResult, CheckStatus, DoctorReport } from '../../doctor/check-result.js';
import { failures } from '../../doctor/check-result.js';
import { runDoctor } from '../../doctor/run-doctor.js';
import { EXIT_CODES } from '../../errors/exit-codes.js';
import type { StreamName } from '../../migrations/streams.js';
import { defineCommand } from '../command.js';
import { stream } from '../options.js';
import { checkList } from '../output/checks.js';
import type { Style } from '../output/style.js';
import { counted, indented, paragraphs } from '../output/text.js';

const BOTH: readonly StreamName[] = ['work', 'cron'];

export const doctorCommand = defineCommand({
  name: 'doctor',
  details:
    'The checks that up runs first. Changes nothing. Warnings do not fail; a failed check gives exit code 1.',
  examples: [
    ['doctor', 'All checks'],
    ['doctor --stream work', 'Only what the work database needs'],
    ["doctor --json | jq '.checks[].remedy.lines'", 'The lines alone'],
  ],
  positionals: {},
  options: stream,
  run: async ({ stream }, context) => {
    const report = await runDoctor(context.settings(), {
      streams: stream === undefined ? BOTH : [stream],
    });
    return {
      exitCode: failures(report).length === 0 ? EXIT_CODES.done : EXIT_CODES.failed,
      report,
      text: (style) => doctorText(report, style),
    };
  },
});

// What has to be fixed comes last, where the reader looks when the command ends.
const GROUPS: readonly (readonly [CheckStatus, string])[] = [
  ['ok', 'In order'],
  ['skipped', 'Not checked'],
  ['warning', 'Warnings'],
  ['failed', 'Failed'],
];

function doctorText({ checks }: DoctorReport, style: Style): string {
  const groups = GROUPS.map(([status, heading]) => {
    const members = checks.filter((check) => check.status === status);
    return members.length === 0 ? '' : group(heading, members, style);
  });
  return paragraphs(...groups, conclusion(checks, style));
}

function group(heading: string, checks: readonly CheckResult[], style: Style): string {
  return `${style.bold(`${heading} (${checks.length})`)}\n${indented(checkList(checks, style))}`;
}

function conclusion(checks: readonly CheckResult[], style: Style): string {
  const failed = failures({ checks }).length;
  return failed === 0
    ? style.good('Ready: no check failed.')
    : style.bad(`${counted(failed, 'check')} failed.`);
}
