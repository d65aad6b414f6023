import { shown } from '../../errors/shown.js';
import type { Settings } from '../../settings/settings.js';
import { readStatus } from '../status.js';
import { verify } from '../verify.js';

export interface Verification {
  /** Jobs, link and objects are as they should be, and all of it was looked at. */
  readonly isClean: boolean;
  /** In words. */
  readonly problems: readonly string[];
}

export async function verifyPlace(settings: Settings): Promise<Verification> {
  const status = await readStatus(settings);
  const found = await verify(settings);
  const problems = [
    ...status.streams.flatMap(({ stream, pending }) =>
      pending.length === 0
        ? []
        : [`${pending.length} migrations of the ${stream} stream are pending`],
    ),
    ...found.ledger,
    ...found.databases.flatMap(({ database, differences }) =>
      differences.length === 0
        ? []
        : [`${differences.length} definitions in database "${database}" are not as released`],
    ),
    ...found.jobs.map(({ jobName, problem }) => `the job ${shown(jobName)} is ${problem}`),
    ...(found.notStarted === undefined ? [] : [found.notStarted]),
    ...(found.link === undefined
      ? []
      : [`the link is ${found.link.found}, and should be ${found.link.expected}`]),
    ...new Set([...status.unknown, ...found.unknown].map((what) => `unknown: ${what}`)),
  ];
  return { isClean: status.upToDate && found.clean, problems };
}
