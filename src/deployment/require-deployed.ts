import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { readStreamPlan } from './stream-plan.js';

/** A command needs a database that `up` has not brought up to date. */
export class NotDeployedError extends PcacheError {
  override readonly name = 'NotDeployedError';

  constructor(stream: StreamName, database: string, applied: number, pending: number) {
    super(
      applied === 0
        ? `The ${stream} stream is not deployed in database "${database}".`
        : `The ${stream} stream in database "${database}" is not up to date: ${pending} of ${applied + pending} migrations ${pending === 1 ? 'is' : 'are'} pending.`,
      { remedy: applied === 0 ? 'Deploy it with: pcache-migrate up' : 'Run: pcache-migrate up' },
    );
  }
}

/** Raises NotDeployedError unless every migration of the stream is applied. */
export async function requireDeployed(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<void> {
  const plan = await readStreamPlan(client, settings, stream);
  if (plan.pending.length > 0) {
    throw new NotDeployedError(stream, plan.database, plan.applied.length, plan.pending.length);
  }
}
