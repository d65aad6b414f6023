import { ok, sql, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';
import { findUnreadableTables } from '../unreadable-tables.js';

const MOST_LINES = 20;

export const readableTables: DoctorCheck = {
  id: 'readable-tables',
  title: 'tables that fragments read',
  needs: ['client-schema', 'roles', 'fragment-role'],
  run: async ({ settings, work }) => {
    const { clientSchema } = settings;
    const { role, lines } = await findUnreadableTables(clientOf(work), settings);
    if (lines.length === 0)
      return ok(`all in schema "${clientSchema}"; other schemas are not checked`);
    const more = lines.length - MOST_LINES;
    return warning(
      `role "${role}", whose rights fragments have, may not read ${lines.length} ${lines.length === 1 ? 'table' : 'tables'} of schema "${clientSchema}"` +
        (more > 0 ? ` (${more} more than listed here)` : '') +
        '; grant what your fragments need',
      sql('owner of the tables', settings.work.database, ...lines.slice(0, MOST_LINES)),
    );
  },
};
