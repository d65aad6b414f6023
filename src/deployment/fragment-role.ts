import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';
import { ownName } from './own-names.js';

/**
 * Gives fragments the rights of the role that the settings name, and returns it; null if there is nothing to
 * change. Settings without a role leave what is deployed.
 */
export async function applyFragmentRole(
  work: ClientBase,
  settings: Settings,
): Promise<string | null> {
  const { fragmentRole } = settings;
  if (fragmentRole === undefined || !(await wantsFragmentRole(work, settings))) return null;
  await work.query(`SELECT ${ownName(settings, 'set_fragment_role')}($1)`, [fragmentRole]);
  return fragmentRole;
}

/** Whether fragments are to have the rights of another role than they have. */
export async function wantsFragmentRole(work: ClientBase, settings: Settings): Promise<boolean> {
  const { fragmentRole, schema } = settings;
  if (fragmentRole === undefined || !(await hasRoutine(work, schema, 'set_fragment_role'))) {
    return false;
  }
  // The function itself is asked as well: a dump restored without its owners keeps only the record.
  const { rowCount } = await work.query(
    `SELECT FROM ${ownName(settings, 'deployment')}, pg_catalog.pg_proc, pg_catalog.pg_namespace
      WHERE fragment_role = $1 AND nspname = $2 AND pronamespace = pg_namespace.oid
        AND proname = 'run_fragment' AND prosecdef AND pg_get_userbyid(proowner) = $1`,
    [fragmentRole, schema],
  );
  return rowCount !== 1;
}
