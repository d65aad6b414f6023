import type { Options } from 'yargs';
import type { ProcessorChange } from '../processor/processor-config.js';

const LARGEST_INTEGER = 2_147_483_647;

/** Parses a whole number; yargs' own numbers take `1e3`, `0x10` and, as NaN, anything else. */
export function wholeNumber(
  option: string,
  { from, to = LARGEST_INTEGER }: { from: number; to?: number },
): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= from && number <= to) return number;
    const range = to === LARGEST_INTEGER ? `from ${from} on` : `from ${from} to ${to}`;
    throw new Error(`--${option} must be a whole number ${range}, not ${JSON.stringify(text)}.`);
  };
}

function numberOrNone(option: string): (text: string) => number | null {
  const parse = wholeNumber(option, { from: 1 });
  return (text) => (text === 'none' ? null : parse(text));
}

export const globalOptions = {
  'env-file': {
    type: 'string',
    requiresArg: true,
    describe: 'Read variables from this file instead of .env; the environment wins over it',
  },
  json: {
    type: 'boolean',
    describe: 'Print one JSON document on stdout, on failure too',
  },
  'json-lines': {
    type: 'boolean',
    describe: 'Print on stdout a line of JSON for each step as it begins, and that document last',
  },
  'no-color': {
    type: 'boolean',
    describe: 'No colour on a terminal (as the variable NO_COLOR)',
  },
} as const satisfies Record<string, Options>;

export const waitLock = {
  'wait-lock': {
    type: 'string',
    requiresArg: true,
    default: '60',
    describe:
      'How many seconds to wait for another run of pcache-migrate, then exit code 4 (default: 60)',
    coerce: wholeNumber('wait-lock', { from: 0 }),
  },
} as const satisfies Record<string, Options>;

export const drainTimeout = {
  'drain-timeout': {
    type: 'string',
    requiresArg: true,
    default: '60',
    describe:
      'How many seconds runs of the processor may take to end before they are cancelled (default: 60)',
    coerce: wholeNumber('drain-timeout', { from: 0 }),
  },
} as const satisfies Record<string, Options>;

export const verbose = {
  verbose: {
    type: 'boolean',
    default: false,
    describe: 'Name every migration, not the first and the last alone (--json always does)',
  },
} as const satisfies Record<string, Options>;

export const dryRun = {
  'dry-run': {
    type: 'boolean',
    default: false,
    describe: 'Show what would be done, and change nothing',
  },
} as const satisfies Record<string, Options>;

export const dropData = {
  'drop-data': {
    type: 'boolean',
    describe: 'Drop tables with the rows they hold, instead of keeping them for the next up',
  },
} as const satisfies Record<string, Options>;

export const yes = {
  yes: {
    type: 'boolean',
    describe: 'Do not ask',
  },
} as const satisfies Record<string, Options>;

export const stream = {
  stream: {
    choices: ['work', 'cron'],
    requiresArg: true,
    describe: 'Only this stream: work (the work database) or cron (the pg_cron database)',
  },
} as const satisfies Record<string, Options>;

export const processorName = {
  name: {
    type: 'string',
    describe:
      "The processor's name; default: partitioncache_process_queue_<database>_<cache prefix>",
  },
} as const;

export const scheduleOptions = {
  frequency: {
    type: 'string',
    requiresArg: true,
    describe: 'Look for work every so many seconds (a new processor: 1)',
    coerce: wholeNumber('frequency', { from: 1 }),
  },
  timeout: {
    type: 'string',
    requiresArg: true,
    describe: 'Cancel a fragment after so many seconds (a new processor: 1800)',
    coerce: wholeNumber('timeout', { from: 1 }),
  },
  parallel: {
    type: 'string',
    requiresArg: true,
    describe: 'Work on so many fragments at a time, 1 to 20 (a new processor: 5)',
    coerce: wholeNumber('parallel', { from: 1, to: 20 }),
  },
} as const satisfies Record<string, Options>;

export const processorOptions = {
  ...scheduleOptions,
  'result-limit': {
    type: 'string',
    requiresArg: true,
    describe: 'Do not cache a fragment with more keys than this; none: no limit',
    coerce: numberOrNone('result-limit'),
  },
  'default-bitsize': {
    type: 'string',
    requiresArg: true,
    describe: 'Bits of a new partition of the bit cache; none: as the data asks for',
    coerce: numberOrNone('default-bitsize'),
  },
} as const satisfies Record<string, Options>;

interface ProcessorArguments {
  readonly frequency?: number | undefined;
  readonly timeout?: number | undefined;
  readonly parallel?: number | undefined;
  readonly 'result-limit'?: number | null | undefined;
  readonly 'default-bitsize'?: number | null | undefined;
}

export function processorChange(args: ProcessorArguments): ProcessorChange {
  return {
    parallel: args.parallel,
    frequencySeconds: args.frequency,
    timeoutSeconds: args.timeout,
    resultLimit: args['result-limit'],
    defaultBitsize: args['default-bitsize'],
  };
}

/** Refuses an empty name: the variable of a script that was not set. */
export function emptyName({ name }: { readonly name?: string | undefined }): string | undefined {
  return name === '' ? "The processor's name is empty." : undefined;
}
