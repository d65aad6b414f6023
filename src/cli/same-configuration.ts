import { shellWord } from './shell-word.js';

/** Makes command lines in a text, or in the remedies of a document, work in the configuration that the user gave. */
export interface SameConfiguration {
  readonly text: (text: string) => string;
  readonly document: (document: object) => object;
}

export const AS_WRITTEN: SameConfiguration = {
  text: (text) => text,
  document: (document) => document,
};

/** `commands`: their names, by which a command line of `program` is told from a sentence about it. */
export function sameConfiguration(
  program: string,
  commands: readonly string[],
  envFile: string | undefined,
): SameConfiguration {
  if (envFile === undefined) return AS_WRITTEN;
  const firstWords = new Set(commands.map((name) => name.split(' ')[0]));
  const commandLine = new RegExp(`\\b${program} (?=(?:${[...firstWords].join('|')})\\b)`, 'g');
  const given = `${program} --env-file ${shellWord(envFile)} `;
  const text = (written: string) => written.replace(commandLine, () => given);
  return {
    text,
    document: (document) => JSON.parse(JSON.stringify(document, remediesBy(text))),
  };
}

/** Other texts of a document may be data: they stay as they are. */
function remediesBy(text: (written: string) => string) {
  return (key: string, value: unknown): unknown => {
    if (key !== 'remedy') return value;
    if (typeof value === 'string') return text(value);
    return hasLines(value) ? { ...value, lines: value.lines.map(text) } : value;
  };
}

function hasLines(value: unknown): value is { readonly lines: readonly string[] } {
  return typeof value === 'object' && value !== null && 'lines' in value;
}
