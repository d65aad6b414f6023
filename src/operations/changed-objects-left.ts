import type { ClientBase } from 'pg';
import { atOnce } from '../database/at-once.js';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { unlessRefused } from '../database/unless-refused.js';
import type { StreamName } from '../migrations/streams.js';
import { objectsChanged } from '../objects/examine-objects.js';
import { type ObjectScope, objectScope } from '../objects/scope.js';
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
  const found = await atOnce(
    ...sites.map(({ client, stream }) => async () => {
      const scope = objectScope(settings, stream);
      return (await isAsLeft(client, scope)) ? [] : [scope.database];
    }),
  );
  return [...new Set(found.flat())];
}

function isAsLeft(client: ClientBase, scope: ObjectScope): Promise<boolean> {
  return unlessRefused(
    async () => {
      const found = await inReadOnlyTransaction(client, () => objectsChanged(client, scope));
      return 'changed' in found && !found.changed;
    },
    () => false,
  );
}
