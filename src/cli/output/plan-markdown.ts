import { printable } from '../../errors/shown.js';
import type { PlanReport } from '../../operations/plan.js';
import { type Block, type Section, sectionsOf, summaryOf } from './plan-sections.js';
import { counted } from './text.js';

/** A part of the text that is left out as a whole when there is no room for it. */
interface Piece {
  readonly text: string;
  /** What a reader misses; empty for what is never left out. */
  readonly name: string;
}

/**
 * A plan as Markdown for a pull request, at most `limit` characters long. What there is no room for is left out part by
 * part, the SQL first, and named with the way to see it. Nothing that comes from a database or a file can become
 * markup: it stands in code, whose fence is longer than any run of backticks in it.
 */
export function planMarkdown(
  plan: PlanReport,
  { limit, verbose }: { readonly limit: number; readonly verbose: string },
): string {
  const sections = sectionsOf(plan);
  const head = headOf(plan);
  const tail = `\nHash: ${code(plan.hash)}\n`;
  const wanted = [
    ...sections.filter(({ isDetail }) => !isDetail).flatMap(piecesOf),
    ...sections.filter(({ isDetail }) => isDetail).flatMap(piecesOf),
  ];
  let room = limit - head.length - tail.length - LONGEST_NOTE - verbose.length;
  const kept: string[] = [];
  const cut: Piece[] = [];
  for (const piece of wanted) {
    if (piece.text.length <= room) {
      kept.push(piece.text);
      room -= piece.text.length;
    } else {
      cut.push(piece);
    }
  }
  return [head, ...kept, cut.length > 0 ? noteOf(cut.length, cut, verbose) : '', tail].join('');
}

function headOf(plan: PlanReport): string {
  const pending = plan.isPending
    ? 'something is pending'
    : plan.unknown.length > 0
      ? 'nothing is pending, as far as is known'
      : 'nothing is pending';
  return [
    `### pcache-migrate ${plan.direction}: ${pending}`,
    '',
    ...summaryOf(plan).map((line) => `- ${code(line)}`),
    `- package ${code(plan.packageVersion)}`,
    '',
  ].join('\n');
}

const MOST_NAMED = 5;
const LONGEST_NAME = 100;
const LONGEST_NOTE = 200 + MOST_NAMED * (LONGEST_NAME + 2);

function noteOf(count: number, cut: readonly Piece[], verbose: string): string {
  const named = cut
    .map(({ name }) => code(name))
    .filter(({ length }) => length <= LONGEST_NAME)
    .slice(0, MOST_NAMED);
  const more = count - named.length;
  return `\n**Left out for want of room: ${counted(count, 'part')}** (${[...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')}). All of it: ${code(verbose)}\n`;
}

/** Details are folded, one for each migration, so that one alone can be left out. */
function piecesOf({ title, blocks, isDetail }: Section): Piece[] {
  return blocks.map((block, index) => {
    const heading = index === 0 ? `\n#### ${plain(title)}\n` : '';
    const name = block.kind === 'code' ? `${title}, ${block.title}` : title;
    return { name, text: `${heading}\n${blockMarkdown(block, isDetail)}\n` };
  });
}

function blockMarkdown(block: Block, isDetail: boolean): string {
  switch (block.kind) {
    case 'lines':
      return block.lines.map((line) => `- ${code(line)}`).join('\n');
    case 'table':
      return [
        row(block.headings.map(plain)),
        row(block.headings.map(() => '---')),
        // GitHub parts a row at each |, in code too.
        ...block.rows.map((cells) => row(cells.map((cell) => code(cell).replaceAll('|', '\\|')))),
      ].join('\n');
    case 'code': {
      const fenced = fence(block.text, block.language);
      return isDetail || block.language === 'diff'
        ? `<details><summary>${html(block.title)}</summary>\n\n${fenced}\n\n</details>`
        : `${code(block.title)}\n\n${fenced}`;
    }
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Words of ours, without a meaning in Markdown. */
function plain(text: string): string {
  return text.replaceAll(/([\\`*_{}[\]<>#|])/g, '\\$1');
}

function html(text: string): string {
  const safe = printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
  return `<code>${safe}</code>`;
}

/** Any text in one line of code. */
function code(text: string): string {
  const line = printable(text).replaceAll('\n', '\\n');
  if (line === '') return '';
  const marks = '`'.repeat(longestRun(line) + 1);
  const padding = /^[` ]|[` ]$/.test(line) ? ' ' : '';
  return `${marks}${padding}${line}${padding}${marks}`;
}

function fence(text: string, language: string): string {
  const marks = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${marks}${language}\n${printable(text)}\n${marks}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}
