import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { span } from '../migrations/span.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { findLostDeployment, type LostDeployment } from './lost-deployment.js';
import { version } from './package-version.js';
import { readStreamPlan, type StreamPlan } from './stream-plan.js';

/** A command needs a database that `up` has not brought up to date. */
export class NotDeployedError extends PcacheError {
  override readonly name = 'NotDeployedError';

  constructor(
    { stream, database, applied, pending }: StreamPlan,
    /** What is left of a deployment that was there. */
    lost?: LostDeployment,
  ) {
    const all = applied.length + pending.length;
    super(
      applied.length === 0
        ? `The ${stream} stream is not deployed in database "${database}"${lost === undefined ? '' : `: ${shown(lost.what)}`}.`
        : `The ${stream} stream in database "${database}" is not up to date: ${pending.length} of ${all} migrations ${pending.length === 1 ? 'is' : 'are'} pending.`,
      {
        remedy:
          lost?.remedy ??
          (applied.length === 0 ? 'Deploy it with: pcache-migrate up' : 'Run: pcache-migrate up'),
      },
    );
  }
}

/** A newer package made the database into something that this one must not work on. */
export class PackageTooOldError extends PcacheError {
  override readonly name = 'PackageTooOldError';

  constructor(database: string, breaking: readonly string[], needed: string) {
    super(
      `Database "${database}" was migrated by pcache-migrate ${shown(needed)}, and this is ${version()}: ` +
        `${span(breaking)} ${breaking.length === 1 ? 'says' : 'say'} that older versions must not work on it.`,
      { remedy: `Install pcache-migrate ${shown(needed)} or later.` },
    );
  }
}

/**
 * Raises NotDeployedError unless every migration of the stream is applied, PackageTooOldError when a newer package
 * has applied one that shuts this one out.
 */
export async function requireDeployed(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<void> {
  const plan = await readStreamPlan(client, settings, stream);
  requireRecentPackage(plan);
  if (plan.pending.length === 0) return;
  const lost = stream === 'work' ? await findLostDeployment(client, settings) : undefined;
  throw new NotDeployedError(plan, lost);
}

/** Raises PackageTooOldError when a newer package has applied a migration that shuts this one out. */
export function requireRecentPackage({ database, newer }: StreamPlan): void {
  const breaking = newer.filter(({ record }) => record?.breaksOlder);
  const last = breaking.at(-1);
  if (last === undefined) return;
  throw new PackageTooOldError(
    database,
    breaking.map(({ name }) => name),
    last.record?.packageVersion ?? 'of a newer version',
  );
}
