import type { ClientBase } from 'pg';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import type { Witness } from '../migrations/run-migrations.js';
import type { ListedObject } from '../objects/listed-object.js';
import { objectsBefore, recordObjects } from '../objects/record-objects.js';
import type { ObjectScope } from '../objects/scope.js';

/** Has each transaction of a run record the definitions of what it made, changed or dropped. */
export function recording(
  client: ClientBase,
  scope: ObjectScope,
  release: number,
  within: Witness['within'],
  dropped: readonly string[] = [],
): Witness {
  let outside: readonly ListedObject[] | undefined;
  return {
    beforeOutside: async () => {
      outside = await inReadOnlyTransaction(client, () => objectsBefore(client, scope));
    },
    within: async (migrate, names) => {
      const inOneTransaction = outside === undefined;
      const before = outside ?? (await objectsBefore(client, scope));
      await within(migrate, names);
      await recordObjects(client, scope, { release, before, inOneTransaction, dropped });
      outside = undefined;
    },
  };
}
