import { definersOfSuperusers } from '../../deployment/definers-of-superusers.js';
import { ok, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

/** What was deliberately not given back after a restore without owners, among others. */
export const superuserDefiners: DoctorCheck = {
  id: 'superuser-definers',
  title: "clients' functions that are a superuser's",
  needs: ['work-connection'],
  run: async ({ settings, work }) => {
    const found = await definersOfSuperusers(clientOf(work), settings);
    if (found.length === 0) return ok('none');
    return warning(
      `in schema "${settings.clientSchema}" of database "${settings.work.database}": ` +
        found.map(({ signature, meaning }) => `${signature}. ${meaning}`).join(' '),
      text(
        'administrator',
        `Find out what they do and who made them. Then, in database "${settings.work.database}", of each either the first line or, where nobody needs it, the second:`,
        ...found.flatMap(({ lines }) => lines.map((line) => `  ${line}`)),
      ),
    );
  },
};
