import type { Settings } from '../settings/settings.js';
import type { Moved, Whereabouts } from './whereabouts.js';

/** In a sentence or two, what was found and where its jobs are; for what is in order, empty. */
export function describeWhereabouts(
  found: Whereabouts,
  { work: { database }, schema }: Pick<Settings, 'work' | 'schema'>,
): string {
  switch (found.kind) {
    case 'not deployed':
    case 'same':
      return '';
    case 'unknown':
      return `Whether database "${database}" is the one that schema "${schema}" was deployed in is unknown: ${found.reason}.`;
    default:
      return `${whatHappened(found, database)} ${whereItsJobsAre(found)}`;
  }
}

function whatHappened(found: Moved, database: string): string {
  const deployedAs = found.origin.database;
  switch (found.kind) {
    case 'renamed':
      return `Database "${database}" was deployed as "${deployedAs}" and renamed since${
        found.original === undefined ? '' : `; another database is called "${deployedAs}" now`
      }.`;
    case 'copied':
      return `Database "${database}" was deployed as "${deployedAs}" and is a copy: the original is still there${
        found.original === deployedAs ? '' : `, as "${found.original}"`
      }.`;
    case 'restored':
      return deployedAs === database
        ? `Database "${database}" was restored: it is not the one that was deployed under this name, which is gone.`
        : `Database "${database}" was deployed as "${deployedAs}" and restored under another name; the original is gone.`;
    case 'on another server':
      return `Database "${database}" was deployed as "${deployedAs}" on another server.`;
  }
}

function whereItsJobsAre({ kind, origin }: Moved): string {
  if (origin.cronDatabase === undefined) return 'No jobs were scheduled for it.';
  const where = `database "${origin.cronDatabase}", by schema "${origin.cronSchema}"`;
  switch (kind) {
    case 'renamed':
      return `Its jobs are in ${where}, and still name "${origin.database}".`;
    case 'copied':
      return `The jobs in ${where}, are those of the original.`;
    case 'restored':
      return `The jobs in ${where}, were made for "${origin.database}".`;
    case 'on another server':
      return `Its jobs are in ${where} there.`;
  }
}
