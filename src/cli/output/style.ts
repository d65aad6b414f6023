import type { OutputStream } from '../world.js';

/** How a stream wants its text: tables with rules and colour on a terminal, plain aligned text elsewhere. */
export interface Style {
  readonly terminal: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly bad: (text: string) => string;
}

export function styleOf(stream: OutputStream, env: NodeJS.ProcessEnv, noColor: boolean): Style {
  const terminal = stream.isTTY === true;
  const coloured = terminal && !noColor && !env.NO_COLOR && env.TERM !== 'dumb';
  const paint = (code: number) => (text: string) =>
    coloured && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  return {
    terminal,
    bold: paint(1),
    dim: paint(2),
    good: paint(32),
    warning: paint(33),
    bad: paint(31),
  };
}

// C0 except tab and newline, DEL and C1; an escape that begins one of our own colours stays.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /(?!\u001b\[\d+m)[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/gu;

/** Names and messages come from databases; they must not control the terminal. */
export function withoutControl(text: string): string {
  return text.replace(CONTROL, '\ufffd');
}
