import { span } from '../../migrations/span.js';
import type { HalfUndone } from '../../releases/half-undone.js';
import type { Context } from '../command.js';

export function halfUndoneText(
  half: HalfUndone | undefined,
  { invocation }: Pick<Context, 'invocation'>,
): string {
  if (half === undefined) return '';
  const { release, rolledBack, before } = half;
  const one = rolledBack.length === 1;
  return `Release ${release} is half undone: ${span(rolledBack)} of it ${one ? 'is' : 'are'} rolled back. Undo the rest with: ${invocation(before > 0 ? `down --to ${before}` : 'down --all')}; or apply ${one ? 'it' : 'them'} again with: ${invocation('up')}`;
}
