import type { StreamChange } from '../../operations/up.js';
import { counted } from './text.js';

export function appliedText({ stream, database, schema, migrations }: StreamChange): string {
  if (migrations.length === 0) {
    return `Nothing to do for the ${stream} stream in database "${database}".`;
  }
  return listed(
    `Applied ${counted(migrations.length, 'migration')} of the ${stream} stream to database "${database}" (schema "${schema}"):`,
    migrations,
  );
}

export function rolledBackText({ stream, database, schema, migrations }: StreamChange): string {
  return listed(
    `Rolled back ${counted(migrations.length, 'migration')} of the ${stream} stream in database "${database}" (schema "${schema}"):`,
    migrations,
  );
}

export function administratorText(statements: readonly string[]): string {
  return statements.length === 0 ? '' : listed('Ran as the administrator:', statements);
}

function listed(heading: string, items: readonly string[]): string {
  return [heading, ...items.map((item) => `  ${item}`)].join('\n');
}
