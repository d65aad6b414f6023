const MAX_LINE = 100;

/** What a file of SQL does against the style of this package, one sentence each. */
export function styleProblems(file: string, text: string): string[] {
  return [...longLines(file, text), ...repeatedSignatures(file, text)];
}

function longLines(file: string, text: string): string[] {
  return text
    .split('\n')
    .map((line, index) => ({ length: [...line].length, place: `${file}:${index + 1}` }))
    .filter(({ length }) => length > MAX_LINE)
    .map(({ place, length }) => `${place}: ${length} characters; at most ${MAX_LINE} are allowed.`);
}

/** GRANT, REVOKE, COMMENT and DROP need the parameters only where a name stands for several functions. */
function repeatedSignatures(file: string, text: string): string[] {
  const created = [...text.matchAll(/^CREATE OR REPLACE \w+ \{\{\w+\}\}\.(\w+)/gm)].map(
    ([, name]) => name,
  );
  return [
    ...text.matchAll(
      /^ *(?:COMMENT ON|GRANT \w+ ON|REVOKE ALL ON) (?:FUNCTION|PROCEDURE|ROUTINE) \{\{\w+\}\}\.(\w+)\(/gm,
    ),
  ]
    .filter(([, name]) => created.filter((other) => other === name).length < 2)
    .map(
      ([, name]) => `${file}: the parameters of ${name} are repeated, though its name says enough.`,
    );
}
