import type { ClientBase } from 'pg';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { unlessRefused } from '../database/unless-refused.js';
import type { StreamName } from '../migrations/streams.js';
import { objectsChanged } from '../objects/examine-objects.js';
import { objectScope } from '../objects/scope.js';
import type { Settings } from '../settings/settings.js';

interface Site {
  readonly client: ClientBase;
  readonly stream: StreamName;
}

/** The databases in which something is not as the releases left it, or may not be, since it cannot be looked at. */
export async function changedObjectsLeft(
  sites: readonly Site[],
  settings: Settings,
): Promise<string[]> {
  const databases: string[] = [];
  for (const { client, stream } of sites) {
    const scope = objectScope(settings, stream);
    const isAsLeft = await unlessRefused(
      async () => {
        const found = await inReadOnlyTransaction(client, () => objectsChanged(client, scope));
        return 'changed' in found && !found.changed;
      },
      () => false,
    );
    if (!isAsLeft && !databases.includes(scope.database)) databases.push(scope.database);
  }
  return databases;
}
