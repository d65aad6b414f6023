import { type Found, quoted } from './found.js';
import type { Problems } from './problem.js';

export function parsePort(found: Found, problems: Problems): number | undefined {
  const port = /^\d+$/u.test(found.value) ? Number(found.value) : Number.NaN;
  if (port >= 1 && port <= 65535) return port;
  return problems.add(
    found.origin,
    `the port ${quoted(found)} is not ${Number.isNaN(port) ? 'a whole number' : 'between 1 and 65535'}`,
    'Set it to the number of the port on which PostgreSQL listens, usually 5432.',
  );
}
