import { sqlState } from '../../database/database-error.js';
import type { ConnectionSettings } from '../../settings/settings.js';
import { type Finding, failed, ok, sql, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { grantLine, onDatabase } from '../grants.js';
import type { Reached } from '../reach.js';
import { address, oneLine } from '../wording.js';

export const workConnection: DoctorCheck = {
  id: 'work-connection',
  title: 'connection to the work database',
  needs: [],
  run: ({ settings, work }) => connection(settings.work, work),
};

export const cronConnection: DoctorCheck = {
  id: 'cron-connection',
  title: 'connection to the pg_cron database',
  needs: [],
  run: ({ settings, cron }) => connection(settings.cron, cron),
};

export const adminConnection: DoctorCheck = {
  id: 'admin-connection',
  title: 'connection as the administrator',
  needs: [],
  run: ({ admin }) =>
    admin?.failure
      ? // Not a failure: perhaps nothing has to be done as the administrator.
        warning(
          `${oneLine(admin.failure.message)}; nothing can be fixed as the administrator`,
          text('user', ...admin.failure.remedy.split('\n')),
        )
      : ok('the administrator can log in'),
};

const MAY_NOT_CONNECT = '42501';

function connection(settings: ConnectionSettings, reached: Reached | undefined): Finding {
  const { user, database } = settings;
  if (!reached?.failure) {
    return ok(`database "${database}" on ${address(settings)} as role "${user}"`);
  }
  const { message, remedy, cause } = reached.failure;
  return failed(
    oneLine(message),
    sqlState(cause) === MAY_NOT_CONNECT
      ? sql('owner of the database', database, grantLine(onDatabase(user, database, 'CONNECT')))
      : text('user', ...remedy.split('\n')),
  );
}
