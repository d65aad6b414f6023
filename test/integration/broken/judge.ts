import type { Ran } from '../../unit/cli/fake-world.js';

/** Names of errors that are none of this package's: what PostgreSQL, Node or a mistake of ours raised. */
const RAW = /^(?:DatabaseError|Error|TypeError|RangeError|SyntaxError|AggregateError)$/;

const STACK = /^\s+at .+:\d+:\d+\)?$/m;

/** What PostgreSQL says of our own statements, without what that means. */
const BARE =
  /^(?!.*The server said: ).*(?:does not exist|permission denied[^()]*) \(SQLSTATE (?:42|3F)/m;

/** A line that can be typed: a command of ours, or SQL. */
const REMEDY =
  /pcache-migrate [a-z]|;(?:\s|$)|\b[a-z_.]+ = '|\bPG_[A-Z_]+|\bDB_[A-Z]+|\bPCACHE_[A-Z]+|--yes|Install pcache-migrate/;

/** What is wrong with what a command answered; empty if it succeeded, or says in our words what to do. */
export function complaintsOf({ code, stdout, stderr }: Ran): string[] {
  const said = `${stdout}\n${stderr}`;
  return [
    STACK.test(said) && 'ends in a stack',
    code !== 0 && !REMEDY.test(said) && `names nothing to type: ${said}`,
    BARE.test(said) && 'has PostgreSQL’s words as the only explanation',
    stdout.startsWith('{') ? inDocument(JSON.parse(stdout)) : inText(stderr),
  ].filter((one): one is string => typeof one === 'string');
}

interface Document {
  readonly error?: {
    readonly name: string;
    readonly message: string;
    readonly remedy?: string;
    readonly checks?: readonly { readonly remedy?: unknown }[];
  };
}

function inDocument({ error }: Document): string | undefined {
  if (error === undefined) return undefined;
  if (RAW.test(error.name)) return `ends in a raw ${error.name}: ${error.message}`;
  const isMended = error.checks?.every(({ remedy }) => remedy !== undefined) ?? false;
  return error.remedy === undefined && !isMended ? `${error.name} has no remedy` : undefined;
}

/** A report of its own names what to do; an error does so in a line. */
function inText(stderr: string): string | undefined {
  if (!/^Error: /m.test(stderr)) return undefined;
  if (/^Error: [^:]*\(SQLSTATE \w{5}\)$/m.test(stderr)) return 'is only PostgreSQL’s text';
  return /Remedy/.test(stderr) ? undefined : 'has no remedy line';
}

/** The statements that an output tells to run, in their order, each once. */
export function statementsIn(text: string): string[] {
  const found = text.matchAll(/\b(?:ALTER|CREATE|DELETE FROM|DROP|GRANT|REVOKE) [^;\n]*;/g);
  return [...new Set([...found].map(([statement]) => statement))];
}
