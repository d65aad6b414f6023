import { isPrintable, shown } from '../errors/shown.js';
/** The text as one word of a shell: a POSIX one, or bash, zsh and ksh where it holds what cannot be shown. */
export function shellWord(text: string): string {
  if (!isPrintable(text)) return `$'${shown(text.replaceAll(/['\\]/g, '\\$&'))}'`;
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
