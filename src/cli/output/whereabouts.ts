import { describeWhereabouts } from '../../deployment/describe-whereabouts.js';
import { isMoved, type Whereabouts } from '../../deployment/whereabouts.js';
import { shown } from '../../errors/shown.js';
import type { Settings } from '../../settings/settings.js';
import type { Context } from '../command.js';
import type { Style } from './style.js';

/** Says that the work database is not the one that was deployed, and what puts it right; empty where it is. */
export function movedText(
  found: Whereabouts,
  settings: Settings,
  { invocation }: Pick<Context, 'invocation'>,
  style: Style,
): string {
  if (!isMoved(found)) return '';
  return [
    style.bad(shown(describeWhereabouts(found, settings))),
    style.warning(`Put it right with: ${invocation('adopt')}`),
  ].join('\n');
}
