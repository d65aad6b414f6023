import { span } from '../../migrations/span.js';
import type { StreamChange } from '../../operations/up-report.js';
import { counted, listed } from './text.js';

export function appliedText(change: StreamChange, verbose: boolean): string {
  const { stream, database, schema, migrations } = change;
  if (migrations.length === 0) {
    return `Nothing to do for the ${stream} stream in database "${database}".`;
  }
  return summary(
    `Applied ${counted(migrations.length, 'migration')} of the ${stream} stream to database "${database}" (schema "${schema}"):`,
    migrations,
    verbose,
  );
}

export function rolledBackText(change: StreamChange, verbose: boolean): string {
  const { stream, database, schema, migrations } = change;
  return summary(
    `Rolled back ${counted(migrations.length, 'migration')} of the ${stream} stream in database "${database}" (schema "${schema}"):`,
    migrations,
    verbose,
  );
}

export function administratorText(statements: readonly string[]): string {
  return listed('Ran as the administrator:', statements);
}

function summary(heading: string, migrations: readonly string[], verbose: boolean): string {
  return verbose ? listed(heading, migrations) : `${heading} ${span(migrations)}`;
}
