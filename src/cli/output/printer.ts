import { escapeLiteral } from 'pg';
import type { OutputStream, World } from '../world.js';
import { withoutControl } from './style.js';

const MASK = "'********'";

/** The one way to the user's eyes. */
export interface Printer {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly json: (document: object) => void;
  /** From here on these are not printed where a server quotes them. */
  readonly hide: (secrets: readonly string[]) => void;
}

export function createPrinter({ stdout, stderr }: World): Printer {
  let literals: readonly string[] = [];
  const print = (stream: OutputStream, text: string) => {
    const masked = literals.reduce((rest, literal) => rest.replaceAll(literal, MASK), text);
    stream.write(`${masked}\n`);
  };
  return {
    out: (text) => print(stdout, withoutControl(text)),
    err: (text) => print(stderr, withoutControl(text)),
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
