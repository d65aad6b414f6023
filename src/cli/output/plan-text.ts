import type { PlanReport } from '../../operations/plan.js';
import { type Block, sectionsOf, summaryOf } from './plan-sections.js';
import type { Style } from './style.js';
import { table } from './table.js';
import { counted, indented, paragraphs } from './text.js';

/** A plan for a terminal: the SQL itself only if asked for, since a first deployment has thousands of lines of it. */
export function planText(
  plan: PlanReport,
  style: Style,
  { verbose, apply }: { readonly verbose: boolean; readonly apply: string },
): string {
  const sections = sectionsOf(plan);
  const shownSections = sections.filter(({ isDetail }) => verbose || !isDetail);
  const hidden = plan.streams.reduce((sum, { migrations }) => sum + migrations.length, 0);
  return paragraphs(
    [
      style.bold(`Plan of ${plan.direction}, pcache-migrate ${plan.packageVersion}`),
      ...summaryOf(plan).map((line) => `  ${line}`),
    ].join('\n'),
    ...shownSections.map(({ title, blocks }) =>
      paragraphs(
        style.bold(title),
        ...blocks.map((block) => indented(blockText(block, style))),
      ).replace('\n\n', '\n'),
    ),
    hidden > 0 && !verbose
      ? style.dim(`The SQL of ${counted(hidden, 'migration')} is shown with --verbose.`)
      : '',
    conclusion(plan, style, apply),
  );
}

function blockText(block: Block, style: Style): string {
  switch (block.kind) {
    case 'lines':
      return block.lines.join('\n');
    case 'table':
      return table(style, block.headings, block.rows);
    case 'code':
      return `${block.title}\n${indented(block.language === 'diff' ? diffText(block.text, style) : block.text)}`;
  }
}

function diffText(diff: string, style: Style): string {
  return diff
    .split('\n')
    .map((line) => {
      if (line.startsWith('+')) return style.good(line);
      return line.startsWith('-') ? style.bad(line) : line;
    })
    .join('\n');
}

function conclusion(
  { hash, isPending, unknown, obstacles, streams }: PlanReport,
  style: Style,
  apply: string,
): string {
  const overwrites = streams.some(({ objects }) =>
    objects.some(({ asReleased }) => asReleased === false),
  );
  const what = isPending
    ? style.warning('Something is pending.')
    : unknown.length > 0
      ? style.warning('Nothing is pending, as far as is known.')
      : style.good('Nothing is pending.');
  return [
    what,
    `Hash: ${hash}`,
    ...(isPending && apply !== '' && obstacles.length === 0
      ? [`Apply with: ${apply}${overwrites ? ' --overwrite-drift' : ''}`]
      : []),
  ].join('\n');
}
