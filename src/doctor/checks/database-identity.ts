import { ADOPT } from '../../deployment/adopt-remedy.js';
import { describeWhereabouts } from '../../deployment/describe-whereabouts.js';
import { isMoved, readWhereabouts } from '../../deployment/whereabouts.js';
import { failed, ok, text } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

export const databaseIdentity: DoctorCheck = {
  id: 'database-identity',
  title: 'the work database is the one that was deployed',
  needs: ['work-schema'],
  run: async ({ settings, work }) => {
    const found = await readWhereabouts(clientOf(work), settings);
    if (found.kind === 'not deployed') return ok('nothing is deployed yet');
    if (found.kind === 'same') return ok('yes');
    return failed(
      describeWhereabouts(found, settings),
      text('user', isMoved(found) ? ADOPT : found.remedy),
    );
  },
};
