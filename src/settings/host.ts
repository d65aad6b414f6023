import { isIPv6 } from 'node:net';
import { isPrintable } from '../errors/shown.js';
import { type Found, quoted } from './found.js';
import type { Problems } from './problem.js';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

export function sameHost(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(host: string): string {
  const lower = host.toLowerCase();
  return LOOPBACK.has(lower) ? 'localhost' : lower;
}

const RULES: readonly [wrong: (host: string) => boolean, message: string, remedy: string][] = [
  [
    (host) => host.includes('://'),
    'is a URI, not a host',
    'Give the host alone; whole URIs belong in DB_URL, PG_CRON_URL or PG_QUEUE_URL.',
  ],
  [
    (host) => /\s/u.test(host) || !isPrintable(host),
    'has a space or control character',
    'Give one host name, address or socket directory, without spaces around it.',
  ],
  [(host) => host.includes(','), 'names several hosts', 'Name the one server to write to.'],
  [
    (host) => /^\[.*\]/u.test(host),
    'has brackets',
    'Write an IPv6 address without brackets, and the port in its own variable.',
  ],
  [
    (host) => !host.startsWith('/') && host.includes(':') && !isIPv6(host.replace(/%.*$/u, '')),
    'is not a host',
    'Give the host alone; the port has its own variable.',
  ],
];

export function parseHost(found: Found, problems: Problems): string | undefined {
  const broken = RULES.find(([wrong]) => wrong(found.value));
  if (broken === undefined) return found.value;
  return problems.add(found.origin, `the host ${quoted(found)} ${broken[1]}`, broken[2]);
}
