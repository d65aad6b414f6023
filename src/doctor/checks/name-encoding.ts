import type { ClientBase } from 'pg';
import { failed, ok, text } from '../check-result.js';
import type { Context, DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { variable } from '../wording.js';

// The names of databases and roles are the cluster's: PostgreSQL never converts them, and those that are not ASCII
// are found only from where the same bytes mean the same.
const AS_WE_WRITE_THEM: ReadonlySet<string> = new Set(['UTF8', 'SQL_ASCII']);

export const workNameEncoding: DoctorCheck = {
  id: 'work-name-encoding',
  title: 'names and the encoding of the work database',
  needs: ['work-connection'],
  run: ({ settings, work }) => checkNames(clientOf(work), settings.work.database, settings),
};

export const cronNameEncoding: DoctorCheck = {
  id: 'cron-name-encoding',
  title: 'names and the encoding of the pg_cron database',
  needs: ['cron-connection'],
  run: ({ settings, cron }) => checkNames(clientOf(cron), settings.cron.database, settings),
};

async function checkNames(client: ClientBase, database: string, settings: Context['settings']) {
  const { rows } = await client.query<{ encoding: string }>(
    "SELECT current_setting('server_encoding') AS encoding",
  );
  const encoding = rows[0]?.encoding ?? '';
  if (AS_WE_WRITE_THEM.has(encoding)) return ok(encoding);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is the first of ASCII.
  const foreign = names(settings).filter(([, name]) => /[^\u0000-\u007f]/u.test(name));
  if (foreign.length === 0) return ok(`${encoding}, and all names are ASCII`);
  const listed = foreign.map(([from, name]) => `"${name}" (${from})`).join(', ');
  return failed(
    `database "${database}" has the encoding ${encoding}, in which PostgreSQL does not find ${listed}`,
    text(
      'user',
      `Give ${foreign.map(([from]) => from).join(', ')} a name of ASCII characters, or use a database whose encoding is UTF8.`,
    ),
  );
}

function names({
  work,
  cron,
  client,
  fragmentRole,
}: Context['settings']): [variable: string, name: string][] {
  return [
    [variable(work, 'database', 'DB_NAME'), work.database],
    [variable(work, 'user', 'DB_USER'), work.user],
    [variable(cron, 'database', 'PG_CRON_DATABASE'), cron.database],
    [variable(cron, 'user', 'PG_CRON_USER'), cron.user],
    [variable(client, 'user', 'PG_QUEUE_USER'), client.user],
    ['PG_FRAGMENT_ROLE', fragmentRole ?? ''],
  ];
}
