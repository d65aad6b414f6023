import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const deadlineMs = 60_000;
const intervalMs = 100;

/** Ready means: a real login succeeds. */
export async function waitForServer(
  server: { host: string; port: number; user: string; password: string },
  isRunning: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const failure = await tryLogin(server);
    if (failure === undefined) return;
    if (!(await isRunning())) throw new Error('the server ended while it was starting');
    if (Date.now() > deadline) {
      throw new Error(`the server did not accept a login within ${deadlineMs / 1000} s`, {
        cause: failure,
      });
    }
    await sleep(intervalMs);
  }
}

async function tryLogin(server: {
  host: string;
  port: number;
  user: string;
  password: string;
}): Promise<unknown> {
  const client = new pg.Client({
    ...server,
    database: 'postgres',
    ssl: false,
    connectionTimeoutMillis: 5_000,
  });
  // The server may also close the connection after the login.
  client.on('error', () => {});
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await client.end().catch(() => {});
  }
}
