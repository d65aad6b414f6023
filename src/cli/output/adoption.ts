import type { TakenTable } from '../../adoption/taken-table.js';
import { shown } from '../../errors/shown.js';
import type { AdoptPreview } from '../../operations/adopt-report.js';
import { counted, indented, paragraphs } from './text.js';

/** What is said of a set-up of PartitionCache's own tool before it is adopted; otherwise nothing. */
export function toolText({ tool }: AdoptPreview): string {
  if (tool === undefined) return '';
  const { changes, asAdministrator, problems } = tool;
  return paragraphs(
    section('What will mean something else:', changes),
    section(
      'What the administrator (PG_ADMIN_USER) does first, in the work database:',
      asAdministrator,
    ),
    handText({ tool }),
    section('It cannot be done yet:', problems),
  );
}

/** What is left to people, before and after. */
export function handText({ tool }: Pick<AdoptPreview, 'tool'>): string {
  return (tool?.byHand ?? [])
    .map(
      ({ why, by, database, lines }) =>
        `${why}. To be typed by ${by} in database "${shown(database)}":\n${lines.map((line) => `  ${line}`).join('\n')}`,
    )
    .join('\n');
}

/** What became of the tables, as far as it is not what everybody expects. */
export function tablesText(tables: readonly TakenTable[] = []): string {
  const rows = tables.reduce((sum, { taken }) => sum + taken, 0);
  const queued = tables.reduce((sum, table) => sum + table.queued, 0);
  if (tables.length === 0) return '';
  return paragraphs(
    `Taken over: ${counted(rows, 'row')} of ${counted(tables.length, 'table')}${queued === 0 ? '' : `; queued to be evaluated again: ${counted(queued, 'fragment')}`}.`,
    section(
      'Kept aside; drop it when nobody needs it:',
      tables.flatMap(({ kept }) => (kept === undefined ? [] : [shown(kept)])),
    ),
  );
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0
    ? ''
    : `${title}\n${lines.map((line) => indented(line, '  ')).join('\n')}`;
}
