import { PassThrough } from 'node:stream';
import { runCli } from '../../../src/cli/run-cli.js';
import type { InputStream, World } from '../../../src/cli/world.js';

// Loaded by a command line when they are needed, and slowly from the sources: not within the time of a test.
import '../../harness/loaded-commands.js';
import '../../../src/cli/failure.js';
import '../../../src/cli/run-command.js';

/** The minimal configuration; nothing listens there. */
export const ENV = {
  DB_HOST: '127.0.0.1',
  DB_PORT: '1',
  DB_USER: 'migrator',
  DB_PASSWORD: 'hunter2-secret',
  DB_NAME: 'app',
  CACHE_BACKEND: 'postgresql_array',
  PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache',
} as const;

export interface FakeWorldOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  terminal?: boolean;
  columns?: number;
  interrupted?: AbortSignal;
  now?: () => Date;
}

class Recorder {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  text = '';

  constructor(isTTY: boolean, columns: number | undefined) {
    this.isTTY = isTTY;
    this.columns = columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

export function fakeWorld(options: FakeWorldOptions = {}) {
  const terminal = options.terminal ?? false;
  const stdin: InputStream & PassThrough = Object.assign(new PassThrough(), { isTTY: terminal });
  const stdout = new Recorder(terminal, options.columns);
  const stderr = new Recorder(terminal, options.columns);
  return {
    env: options.env ?? ENV,
    cwd: options.cwd ?? '/nonexistent',
    stdin,
    stdout,
    stderr,
    now: options.now ?? (() => new Date('2026-01-01T12:00:00Z')),
    interrupted: options.interrupted ?? new AbortController().signal,
  } satisfies World;
}

interface CliOptions extends FakeWorldOptions {
  /** What the user types. */
  typed?: string;
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export async function cli(argv: string[], options: CliOptions = {}): Promise<Ran> {
  const world = fakeWorld(options);
  if (options.typed !== undefined) world.stdin.end(options.typed);
  const code = await runCli(argv, world);
  return { code, stdout: world.stdout.text, stderr: world.stderr.text };
}
