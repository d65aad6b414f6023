import type { Theme } from './attempt.js';
import { data } from './data.js';
import { deployments } from './deployments.js';
import { fragments } from './fragments.js';
import { identity } from './identity.js';
import { jobs } from './jobs.js';
import { ownObjects } from './own-objects.js';
import { planted } from './planted.js';
import { secrets } from './secrets.js';
import { sessions } from './sessions.js';

/** Where nobody succeeds but those whose part it is. */
export const THEMES: readonly Theme[] = [
  identity,
  planted,
  secrets,
  ownObjects,
  jobs,
  sessions,
  data,
  deployments,
  fragments,
];
