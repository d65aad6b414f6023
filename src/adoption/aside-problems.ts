import { escapeIdentifier } from 'pg';
import { pasteable } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { keptSchema } from './contract-names.js';
import type { ForeignAside } from './foreign-setup.js';

/** Why the old tables cannot be moved aside, and what to do about it. */
export function asideProblems({ stranger, taken }: ForeignAside, settings: Settings): string[] {
  const schema = keptSchema(settings);
  const name = escapeIdentifier(schema);
  return [
    ...(stranger === undefined
      ? []
      : [
          `schema "${schema}", where adopt puts what does not fit, belongs to role "${stranger}", which could replace what is put there. Have role "${stranger}" or an administrator rename it, in database "${settings.work.database}": ${pasteable(`ALTER SCHEMA ${name} RENAME TO ${escapeIdentifier(`${schema}_old`)};`)}`,
        ]),
    ...(taken.length === 0
      ? []
      : [
          `schema "${schema}" still has ${taken.join(', ')}, as from an earlier adoption. Move or drop them.`,
        ]),
  ];
}

/** Lines that let the migrator make that schema, or use the one that is there. */
export function asideLines({ exists, mayUse }: ForeignAside, settings: Settings): string[] {
  if (mayUse) return [];
  const to = escapeIdentifier(settings.work.user);
  return [
    exists
      ? `GRANT USAGE, CREATE ON SCHEMA ${escapeIdentifier(keptSchema(settings))} TO ${to};`
      : `GRANT CREATE ON DATABASE ${escapeIdentifier(settings.work.database)} TO ${to};`,
  ];
}
