import { readFile, writeFile } from 'node:fs/promises';
import type { ResultTable } from './bench.js';

const readme = new URL('README.md', import.meta.url);

/** Puts the tables between the two markers of this bench in README.md. */
export async function writeResults(
  bench: string,
  machine: string,
  tables: readonly ResultTable[],
): Promise<void> {
  const text = await readFile(readme, 'utf8');
  const [begin, end] = [`<!-- results: ${bench} -->`, `<!-- end: ${bench} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md lacks the markers ${begin} and ${end}`);
  const date = new Date().toISOString().slice(0, 10);
  const results = [`${date}, ${machine}.`, ...tables.map(markdown)].join('\n\n');
  await writeFile(
    readme,
    `${text.slice(0, from + begin.length)}\n\n${results}\n\n${text.slice(to)}`,
  );
}

function markdown({ title, headings, rows }: ResultTable): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [`${title}:`, '', line(headings), line(headings.map(() => '---')), ...rows.map(line)].join(
    '\n',
  );
}
