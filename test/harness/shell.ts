import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  /** So far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<Ended>;
}

export interface ShellOptions {
  readonly cwd: string;
  /** All of the environment but PATH, which stays as it is unless it is given. */
  readonly env: NodeJS.ProcessEnv;
}

/** Begins a command line of bash. */
export function startShell(command: string, { cwd, env }: ShellOptions): Started {
  const child = spawn('bash', ['--norc', '-o', 'pipefail', '-c', command], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, ...output }));
  return { child, output, ended };
}
