import type { MigrationProgress } from '../../operations/up-report.js';

export interface ProgressLine {
  readonly text: string;
  /** Whether the next line takes its place. */
  readonly rewritten: boolean;
}

export interface ProgressOptions {
  /** Whether a line can be rewritten. */
  readonly terminal: boolean;
  /** Width of the terminal, if known. */
  readonly columns: () => number | undefined;
  readonly now: () => Date;
}

const PAUSE_MS = 1000;

/**
 * What to say of each migration, if anything: on a terminal one line a stream, rewritten until the last;
 * elsewhere the first, the last, and between them one a second.
 */
export function progressLines({ terminal, columns, now }: ProgressOptions) {
  const saidAt = new Map<string, number>();
  return (progress: MigrationProgress): ProgressLine | undefined => {
    const { stream, index, total } = progress;
    const text = progressText(progress);
    const last = index === total;
    // A line that wraps could not be rewritten.
    if (terminal) return { text: last ? text : cut(text, columns()), rewritten: !last };
    const time = now().getTime();
    if (index > 1 && !last && time - (saidAt.get(stream) ?? 0) < PAUSE_MS) return undefined;
    saidAt.set(stream, time);
    return { text, rewritten: false };
  };
}

function progressText({ stream, direction, index, total, migration }: MigrationProgress): string {
  const count = `${String(index).padStart(String(total).length)}/${total}`;
  return [stream, direction === 'down' && 'rolling back', count, migration]
    .filter(Boolean)
    .join('  ');
}

function cut(text: string, columns: number | undefined): string {
  return columns && text.length >= columns ? text.slice(0, columns - 1) : text;
}
