import { shown } from '../../errors/shown.js';
import type { Context } from '../command.js';
import { counted } from './text.js';

/** Names what dropped work databases have left in the pg_cron database, and what removes it; empty where nothing is. */
export function leftBehindText(
  leftBehind: readonly string[],
  cronDatabase: string,
  { invocation }: Pick<Context, 'invocation'>,
): string {
  if (leftBehind.length === 0) return '';
  return `${counted(leftBehind.length, 'dropped database')} left jobs or schemas behind in database "${cronDatabase}": ${leftBehind.map(shown).join(', ')}. Remove them with: ${invocation('prune')}`;
}
