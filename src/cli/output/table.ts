import { shown } from '../../errors/shown.js';
import type { Style } from './style.js';

export type Cell = string | number;

/** Columns padded to equal width; a heading that stands out on a terminal. */
export function table(
  style: Style,
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const cells = rows.map((row) => row.map((cell) => shown(String(cell))));
  const widths = headings.map((heading, column) =>
    Math.max(lengthOf(heading), ...cells.map((row) => lengthOf(row[column] ?? ''))),
  );
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => text + ' '.repeat((widths[column] ?? 0) - lengthOf(text)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [
    style.bold(line(headings)),
    ...(style.terminal ? [style.dim(rule)] : []),
    ...cells.map(line),
  ].join('\n');
}

function lengthOf(text: string): number {
  return [...text].length;
}
