import { cronMoving, cronMovingRemedy } from '../../deployment/cron-move.js';
import { cronElsewhere, readCronStanding } from '../../deployment/cron-place.js';
import { envLine } from '../../settings/env-line.js';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

export const recordedPlace: DoctorCheck = {
  id: 'recorded-place',
  title: 'database of the cron stream',
  needs: ['deployment-identity'],
  run: async ({ settings, work }) => {
    const { move, elsewhere } = await readCronStanding(clientOf(work), settings);
    if (move !== undefined) {
      return failed(
        cronMoving(settings, move),
        text('user', ...cronMovingRemedy(settings, move).split('\n')),
      );
    }
    if (elsewhere === undefined) return ok(`"${settings.cron.database}"`);
    return failed(
      cronElsewhere(settings, elsewhere),
      text(
        'user',
        `To take it there, on a live system: pcache-migrate mode ${settings.mode}`,
        `To leave it where it is: ${envLine('PG_CRON_DATABASE', elsewhere)}`,
      ),
    );
  },
};
