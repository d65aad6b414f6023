import type { ClientBase } from 'pg';
import { hasRelation, hasRoutine } from '../database/catalogue.js';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';
import { objectsIn } from './changed-objects.js';
import { ifAnswered, type Known, known } from './known.js';
import type { Plan } from './plan.js';

/** The role that fragments get once these scripts have run; null if that does not change. */
export function plannedFragmentRole(
  work: ClientBase,
  settings: Settings,
  pending: readonly string[],
): Promise<Known<string | null>> {
  return ifAnswered(async () => {
    const { fragmentRole, schema } = settings;
    if (fragmentRole === undefined) return known(null);
    const planned = objectsIn(pending).filter((step) => step.schema === schema);
    const last = (routine: string) => planned.findLast(({ name }) => name === routine)?.action;
    const setter = last('set_fragment_role');
    if (setter === 'drop') return known(null);
    if (setter === undefined && !(await hasRoutine(work, schema, 'set_fragment_role'))) {
      return known(null);
    }
    // What is created, or replaced, has the rights of whoever calls it.
    if (last('run_fragment') !== undefined) return known(fragmentRole);
    const { rowCount } = await work.query(
      `SELECT FROM ${ownName(settings, 'deployment')}, pg_catalog.pg_proc, pg_catalog.pg_namespace
        WHERE fragment_role = $1 AND nspname = $2 AND pronamespace = pg_namespace.oid
          AND proname = 'run_fragment' AND prosecdef AND pg_get_userbyid(proowner) = $1`,
      [fragmentRole, schema],
    );
    return known(rowCount === 1 ? null : fragmentRole);
  });
}

/** What becomes of the link when `up` connects both databases. */
export function plannedLink(work: ClientBase, settings: Settings): Promise<Known<Plan['link']>> {
  return ifAnswered(async () => {
    if (settings.transport === 'link') return known('renewed');
    if (!(await hasRelation(work, settings.schema, 'deployment'))) return known(null);
    const { rowCount } = await work.query(
      `SELECT FROM ${ownName(settings, 'deployment')} WHERE transport = 'link'`,
    );
    return known(rowCount === 1 ? 'removed' : null);
  });
}
