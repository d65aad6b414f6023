import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { withClientIfReachable } from '../database/with-client-if-reachable.js';
import { asAdministrator, type ConnectionSettings, type Settings } from '../settings/settings.js';

/** As the administrator, if there is one who can log in, else as the role of the place. */
export async function asWhoSeesMost<T>(
  { admin }: Pick<Settings, 'admin'>,
  place: ConnectionSettings,
  use: (client: ClientBase, user: string, isAdministrator: boolean) => Promise<T>,
): Promise<T> {
  const asItself = () => withClient(place, (client) => use(client, place.user, false));
  if (admin === undefined) return asItself();
  return withClientIfReachable(asAdministrator(place, admin), ({ client }) =>
    client ? use(client, admin.user, true) : asItself(),
  );
}
