import type { OutputStream, World } from '../world.js';
import type { ProgressLine } from './progress.js';
import { type Style, safeFor } from './style.js';

const TO_LINE_START = '\r';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_SCREEN = '\u001b[H\u001b[J';

/** Everything that the user reads goes through here. */
export interface Printer {
  readonly out: (text: string) => void;
  /** In the place of all that the terminal shows. */
  readonly redraw: (text: string) => void;
  readonly err: (text: string) => void;
  /** On stderr; a line that is being rewritten goes on below it. */
  readonly log: (text: string) => void;
  readonly progress: (line: ProgressLine) => void;
  readonly json: (document: object) => void;
  readonly jsonLine: (document: object) => void;
}

export function createPrinter(
  { stdout, stderr }: World,
  styles: { readonly stdout: Style; readonly stderr: Style },
): Printer {
  /** What stands on stderr without a line break, to be rewritten. */
  let open = '';
  const print = (stream: OutputStream, text: string) => {
    if (open !== '') stderr.write('\n');
    open = '';
    stream.write(`${text}\n`);
  };
  const rewrite = (text: string) => stderr.write(`${TO_LINE_START}${text}${CLEAR_TO_LINE_END}`);
  return {
    out: (text) => print(stdout, safeFor(styles.stdout, text)),
    redraw: (text) => {
      // In one go, or it flickers.
      stdout.write(`${CLEAR_SCREEN}${safeFor(styles.stdout, text)}\n`);
    },
    err: (text) => print(stderr, safeFor(styles.stderr, text)),
    log: (text) => {
      const line = open;
      if (line !== '') rewrite('');
      open = '';
      print(stderr, safeFor(styles.stderr, text));
      if (line !== '') rewrite(line);
      open = line;
    },
    progress: ({ text, rewritten }) => {
      const line = safeFor(styles.stderr, text);
      if (rewritten || open !== '') rewrite(line);
      else stderr.write(line);
      if (!rewritten) stderr.write('\n');
      open = rewritten ? line : '';
    },
    json: (document) => print(stdout, JSON.stringify(document, null, 2)),
    jsonLine: (document) => print(stdout, JSON.stringify(document)),
  };
}
