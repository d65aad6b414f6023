import { escapeLiteral } from 'pg';
import type { OutputStream, World } from '../world.js';
import type { ProgressLine } from './progress.js';
import { withoutControl } from './style.js';

const MASK = "'********'";
const TO_LINE_START = '\r';
const CLEAR_TO_LINE_END = '\u001b[K';

/** Everything that the user reads goes through here. */
export interface Printer {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** On stderr; a line that is being rewritten goes on below it. */
  readonly log: (text: string) => void;
  readonly progress: (line: ProgressLine) => void;
  readonly json: (document: object) => void;
  /** Masks these from now on where a server quotes them. */
  readonly hide: (secrets: readonly string[]) => void;
}

export function createPrinter({ stdout, stderr }: World): Printer {
  let literals: readonly string[] = [];
  /** What stands on stderr without a line break, to be rewritten. */
  let open = '';
  const masked = (text: string) =>
    literals.reduce((rest, literal) => rest.replaceAll(literal, MASK), text);
  const print = (stream: OutputStream, text: string) => {
    if (open !== '') stderr.write('\n');
    open = '';
    stream.write(`${masked(text)}\n`);
  };
  const rewrite = (text: string) =>
    stderr.write(`${TO_LINE_START}${masked(text)}${CLEAR_TO_LINE_END}`);
  return {
    out: (text) => print(stdout, withoutControl(text)),
    err: (text) => print(stderr, withoutControl(text)),
    log: (text) => {
      const line = open;
      if (line !== '') rewrite('');
      open = '';
      print(stderr, withoutControl(text));
      if (line !== '') rewrite(line);
      open = line;
    },
    progress: ({ text, rewritten }) => {
      const line = withoutControl(text);
      if (rewritten || open !== '') rewrite(line);
      else stderr.write(masked(line));
      if (!rewritten) stderr.write('\n');
      open = rewritten ? line : '';
    },
    json: (document) => print(stdout, JSON.stringify(document, null, 2)),
    hide: (secrets) => {
      literals = secrets.flatMap(literalForms);
    },
  };
}

/**
 * The context of an error may hold a statement that a function of the server made of its parameters. Only as
 * a literal: a password that is also a word of its own must not black out that word everywhere.
 */
function literalForms(secret: string): string[] {
  const literal = escapeLiteral(secret).trim();
  return [literal, JSON.stringify(literal).slice(1, -1)];
}
