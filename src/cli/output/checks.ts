import type { CheckResult, CheckStatus, Remedy, RemedyBy } from '../../doctor/check-result.js';
import type { Style } from './style.js';
import { indented } from './text.js';

/** Each check with its finding and the lines that fix it. */
export function checkList(checks: readonly CheckResult[], style: Style): string {
  return checks.map((check) => checkText(check, style)).join('\n');
}

function checkText({ title, status, detail, remedy }: CheckResult, style: Style): string {
  const found = detail === '' ? '' : `: ${detail}`;
  const head = `${painted(status, style)}  ${title}${found}`;
  return remedy === undefined ? head : `${head}\n${indented(remedyText(remedy, style), '    ')}`;
}

function painted(status: CheckStatus, style: Style): string {
  const paint = { ok: style.good, warning: style.warning, failed: style.bad, skipped: style.dim };
  return paint[status](status);
}

function remedyText(remedy: Remedy, style: Style): string {
  const where = remedy.kind === 'sql' ? `in database "${remedy.database}"` : '';
  const place = [asWhom(remedy.by), where].filter(Boolean).join(', ');
  const heading = `${style.bold('Remedy')}${place === '' ? '' : `, ${place}`}:`;
  return `${heading}\n${indented(remedy.lines.join('\n'))}`;
}

function asWhom(by: RemedyBy): string {
  if (by === 'user') return '';
  return by === 'administrator' ? 'as an administrator (superuser)' : `as the ${by}`;
}
