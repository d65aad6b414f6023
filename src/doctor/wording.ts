import { socketPath } from '../database/explain-connection-failure.js';
import type { ConnectionSettings, ConnectionVariables } from '../settings/settings.js';

/** A name in a sentence; for SQL, use pg's escapeIdentifier. */
export function quoted(name: string): string {
  return `"${name}"`;
}

/** What a server said, with its details, as one line. */
export function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, '; ');
}

export function list(names: readonly string[]): string {
  return names.map(quoted).join(', ');
}

export function address({ host, port }: Pick<ConnectionSettings, 'host' | 'port'>): string {
  return host.startsWith('/') ? socketPath(host, port) : `${host}:${port}`;
}

/** The variable that gave a value; settings made by hand need not know it. */
export function variable(
  settings: ConnectionSettings,
  part: keyof ConnectionVariables,
  usual: string,
): string {
  return settings.variables?.[part] ?? usual;
}
