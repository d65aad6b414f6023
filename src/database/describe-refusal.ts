import { isDatabaseError } from './database-error.js';
import { describeDatabaseError } from './describe-database-error.js';

/** By the beginning of the SQLSTATE: what it means of a statement of this package, whose texts are right. */
const MEANINGS: readonly (readonly [states: RegExp, meaning: string])[] = [
  [
    /^(?:42P01|42703|42883|42704|3F000)/,
    'something that this needs is not there (not yet, or no longer), or was changed by hand',
  ],
  [/^42501/, 'the role lacks a right there'],
  [/^(?:40|55P03)/, 'another session was in the way'],
  [/^57014/, 'it was cancelled, or took longer than a timeout of the server allows'],
];

/** What a refusal means, then the server's own words; those alone where they mean nothing in particular. */
export function describeRefusal(error: unknown): string {
  const said = describeDatabaseError(error);
  const { code = '' } = isDatabaseError(error) ? error : {};
  const meaning = MEANINGS.find(([states]) => states.test(code))?.[1];
  return meaning === undefined ? said : `${meaning}. The server said: ${said}`;
}
