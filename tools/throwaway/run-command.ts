import { spawn } from 'node:child_process';

export interface OsAccount {
  uid: number;
  gid: number;
}

export interface CommandOptions {
  account?: OsAccount | undefined;
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Gets each line of output as it comes. */
  onLine?: (line: string) => void;
}

export class CommandError extends Error {
  constructor(
    command: string,
    outcome: string,
    readonly output: string,
    options?: ErrorOptions,
  ) {
    super(`${command} ${outcome}${output === '' ? '' : `:\n${output}`}`, options);
  }
}

/** Runs a command without a shell and returns its standard output. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: options.env,
      ...options.account,
    });
    let stdout = '';
    let both = '';
    const lines = lineSplitter(options.onLine ?? (() => {}));
    const collect = (text: string) => {
      both += text;
      lines.add(text);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      collect(text);
    });
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', (cause) =>
      reject(new CommandError(command, 'could not be started', cause.message, { cause })),
    );
    child.once('close', (code, signal) => {
      lines.end();
      if (code === 0) resolve(stdout);
      else reject(new CommandError(command, `ended with ${signal ?? code}`, both.trim()));
    });
  });
}

function lineSplitter(onLine: (line: string) => void) {
  let rest = '';
  return {
    add(text: string) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    },
    end() {
      if (rest !== '') onLine(rest);
    },
  };
}
