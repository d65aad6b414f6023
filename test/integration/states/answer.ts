import type { Ran } from '../../unit/cli/fake-world.js';
import type { State } from './states.js';

interface Document {
  readonly error?: {
    readonly name: string;
    readonly checks?: readonly { readonly id: string }[];
  };
}

/** What a command answered, in a cell: its exit code, and the error or the checks that it ended with. */
export function answerOf({ code, stdout }: Ran): string {
  const { error } = JSON.parse(stdout) as Document;
  const why = error?.checks?.map(({ id }) => id).join(', ') ?? error?.name;
  return why === undefined ? String(code) : `${code} ${why}`;
}

export function rowOf({ name, first, mend }: State, answers: readonly string[]): string {
  const ways = [first?.said, ...mend.map((line) => `\`${line.replace(' --yes', '')}\``)];
  const order = ways.filter((way) => way !== undefined).join('; then ');
  return `| ${[name, ...answers, order || 'in order'].join(' | ')} |`;
}
