import pg from 'pg';
import type { ConnectionSettings } from '../src/settings/settings.js';

/** A connection with the server's own search_path, as an application has it; the caller ends it. */
export async function connect(settings: ConnectionSettings): Promise<pg.Client> {
  const client = new pg.Client({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password,
    database: settings.database,
    application_name: 'bench',
  });
  // Dropping the database ends this connection from the server, on purpose.
  client.on('error', () => {});
  await client.connect();
  return client;
}
