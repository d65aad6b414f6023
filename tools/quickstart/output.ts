import { type Style, safeFor } from '../../src/cli/output/style.js';
import type { OutputStream } from '../../src/cli/world.js';

export interface Output {
  /** A line that stays. */
  say(line: string): void;
  /** What is under way: one line that each call replaces, until the next `say`. */
  progress(line: string): void;
  readonly style: Style;
}

// Without a terminal every progress line stays.
const plainIntervalMs = 10_000;

/** Writes nothing any more once `silence` is aborted. */
export function createOutput(
  stream: OutputStream,
  style: Style,
  silence: AbortSignal,
  now: () => number = () => performance.now(),
): Output {
  const write = (text: string) => {
    if (!silence.aborted) stream.write(text);
  };
  const { say, progress } = style.terminal ? terminalLines(stream, write) : plainLines(write, now);
  return {
    style,
    say: (line) => say(safeFor(style, line)),
    progress: (line) => progress(safeFor(style, line)),
  };
}

type Lines = Pick<Output, 'say' | 'progress'>;

function terminalLines(stream: OutputStream, write: (text: string) => void): Lines {
  const clearLine = '\r\u001b[2K';
  return {
    say: (line) => write(`${clearLine}${line}\n`),
    // A line that wraps could not be cleared.
    progress: (line) => write(clearLine + line.slice(0, (stream.columns ?? 80) - 1)),
  };
}

function plainLines(write: (text: string) => void, now: () => number): Lines {
  let lastProgress = Number.NEGATIVE_INFINITY;
  return {
    say: (line) => write(`${line}\n`),
    progress: (line) => {
      if (now() - lastProgress < plainIntervalMs) return;
      lastProgress = now();
      write(`${line}\n`);
    },
  };
}
