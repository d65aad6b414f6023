import { shown } from '../../errors/shown.js';
import type { NamedDifference } from '../../objects/named-difference.js';
import type { ObjectReport } from '../../objects/object-report.js';
import type { Style } from './style.js';
import { counted, indented, paragraphs } from './text.js';

/** What differs in one database, each difference with what it means and what mends it. */
export function objectDifferences(report: ObjectReport, style: Style): string {
  if (report.differences.length === 0) return '';
  const { database, schema, differences, release } = report;
  const recorded = release === undefined ? '' : ` (last recorded by release ${release})`;
  const heading = `Database "${database}", schema "${schema}": ${counted(differences.length, 'difference')} from what the releases left${recorded}`;
  return paragraphs(
    style.bold(heading),
    ...differences.map((difference) => indented(differenceText(difference, style))),
  );
}

function differenceText(difference: NamedDifference, style: Style): string {
  const { kind, identity, problem, meaning, remedy } = difference;
  return [
    `${style.bad(problem)}  ${kind} ${shown(identity)}`,
    indented(meaning, '    '),
    indented(bodyOf(difference), '    '),
    indented(`Remedy: ${remedy}`, '    '),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function bodyOf({ kind, problem, expected, found, diff }: NamedDifference): string {
  if (diff) return textLines(diff);
  // That a whole routine is missing, or there, is said by its name.
  if (problem !== 'changed' && isLong(kind)) return '';
  return [
    expected !== undefined && `expected: ${inLine(expected)}`,
    found !== undefined && `found:    ${inLine(found)}`,
  ]
    .filter((text) => text !== false)
    .join('\n');
}

function isLong(kind: string): boolean {
  return ['function', 'procedure', 'aggregate', 'view', 'materialized view', 'schema'].includes(
    kind,
  );
}

function inLine(definition: string): string {
  return definition.split('\n').map(shown).join(', ');
}

/** Line by line, so that no other control character of a body gets to the terminal. */
function textLines(text: string): string {
  return text.split('\n').map(shown).join('\n');
}
