import { spawn } from 'node:child_process';
import type { Invocation } from './tool.js';

/** Runs it to its end; returns the milliseconds. Raises with what it said where it fails. */
export function invoke({ program, args, cwd, env }: Invocation): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        said += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(performance.now() - start);
      else reject(new Error(`exit code ${code}: ${said.trim()}`));
    });
  });
}
