import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT_CODES } from '../../errors/exit-codes.js';
import { shown } from '../../errors/shown.js';
import { planFile } from '../../plan/plan-file.js';
import { defineCommand } from '../command.js';
import { dropData, stream, wholeNumber } from '../options.js';
import { showPlan } from '../show-plan.js';
import { UsageError } from '../usage-error.js';

/** GitHub takes comments of 65,536 characters; GitLab of a million. */
const DEFAULT_LIMIT = 65_000;

export const planCommand = defineCommand({
  name: 'plan',
  details:
    'Only reads, and works as a role that may do no more (PG_PLAN_USER) and on a standby. ' +
    `Exit code ${EXIT_CODES.pending} if something is pending.`,
  examples: [
    ['plan', 'What up would do'],
    ['plan --verbose', 'With all of its SQL'],
    ['plan --format markdown --out plan.json', 'For a pull request, and a file for the deploy job'],
    ['plan --down', 'What down would do: undo the last release'],
  ],
  positionals: {},
  options: {
    ...stream,
    to: {
      type: 'string',
      requiresArg: true,
      describe: 'Up to this migration; with --down: back to this release, version or migration',
    },
    down: { type: 'boolean', describe: 'What down would do' },
    count: {
      type: 'string',
      requiresArg: true,
      describe: 'With --down: so many migrations (default: the last release)',
      coerce: wholeNumber('count', { from: 1 }),
    },
    all: { type: 'boolean', describe: 'With --down: all migrations' },
    ...dropData,
    verbose: {
      type: 'boolean',
      default: false,
      describe: 'With all of the SQL (--json and --out always have it)',
    },
    format: {
      choices: ['text', 'markdown'],
      requiresArg: true,
      default: 'text',
      describe: 'text for a terminal, markdown for a comment on a pull request',
    },
    'max-length': {
      type: 'string',
      requiresArg: true,
      default: String(DEFAULT_LIMIT),
      describe: `Most characters of markdown; what has no room is left out and named (default: ${DEFAULT_LIMIT})`,
      coerce: wholeNumber('max-length', { from: 5000 }),
    },
    out: {
      type: 'string',
      requiresArg: true,
      describe: 'Also write the plan to this file, for up --plan-file',
    },
  },
  check: ({ down, to, stream, count, all, 'drop-data': dropData }) => {
    const extents = [to !== undefined && '--to', count !== undefined && '--count', all && '--all'];
    const given = extents.filter(Boolean);
    if (given.length > 1) return `${given.join(' and ')} exclude each other.`;
    if (!down && (count !== undefined || all)) return `${given.join()} needs --down.`;
    if (!down && dropData) return '--drop-data needs --down.';
    return !down && to !== undefined && stream === undefined
      ? '--to names a migration of one stream: add --stream work or --stream cron.'
      : undefined;
  },
  run: async ({ format, 'max-length': limit, out, ...args }, context) => {
    const outcome = await showPlan({ ...args, ...(format === 'markdown' && { limit }) }, context);
    const { hash, isPending, ...found } = outcome.report;
    if (out !== undefined) await write(resolve(context.world.cwd, out), planFile(found));
    return outcome;
  },
});

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((cause: Error) => {
    throw new UsageError(
      `The plan cannot be written: ${shown(cause.message)}`,
      'Give --out a file that can be written.',
    );
  });
}
