import { expect } from 'vitest';

/** In a name: begins a line of its own, moves the cursor, changes colour and title, turns the text about. */
export const HOSTILE = 'x\nFORGED\r\u001b[31m\u0007\u009b2J\u202e\u2028FORGED';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OUR_COLOURS = /\u001b\[(?:0|1|2|31|32|33)m/gu;
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Cs}]/gu;

/** Fails if something of HOSTILE does in this output what it would like to. */
export function expectHarmless(output: string, { coloured = false } = {}): void {
  const text = coloured ? output.replaceAll(OUR_COLOURS, '') : output;
  expect({
    raw: [...new Set(text.replaceAll('\n', '').match(UNPRINTABLE))].map(encodeURIComponent),
    forged: text.split('\n').filter((line) => /^\W*FORGED/.test(line)),
  }).toEqual({ raw: [], forged: [] });
}
