import { printable } from '../../errors/shown.js';
import type { OutputStream } from '../world.js';

/** How a stream wants its text: tables with rules and colour on a terminal, plain aligned text elsewhere. */
export interface Style {
  readonly terminal: boolean;
  readonly coloured: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly bad: (text: string) => string;
}

const CODES = { bold: 1, dim: 2, bad: 31, good: 32, warning: 33 } as const;

export function styleOf(stream: OutputStream, env: NodeJS.ProcessEnv, noColor: boolean): Style {
  const terminal = stream.isTTY === true;
  const coloured = terminal && !noColor && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (name: keyof typeof CODES) => (text: string) =>
    coloured && text !== '' ? `\u001b[${CODES[name]}m${text}\u001b[0m` : text;
  return {
    terminal,
    coloured,
    bold: paint('bold'),
    dim: paint('dim'),
    good: paint('good'),
    warning: paint('warning'),
    bad: paint('bad'),
  };
}

const OUR_COLOURS = new RegExp(`(\u001b\\[(?:0|${Object.values(CODES).join('|')})m)`, 'u');

/** What may go to a stream of this style: our colours if it has any, and no other control character. */
export function safeFor({ coloured }: Style, text: string): string {
  if (!coloured) return printable(text);
  return text
    .split(OUR_COLOURS)
    .map((part) => (OUR_COLOURS.test(part) ? part : printable(part)))
    .join('');
}
