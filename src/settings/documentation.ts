import { type CatalogueEntry, VARIABLES } from './variables.js';

/** The contents of .env.example. */
export function envExample(): string {
  const lines = [
    '# Copy this file to .env and fill it in. Lines that are commented out show the default.',
    '# Environment variables override this file.',
  ];
  for (const [group, variables] of byGroup()) {
    lines.push('', `# --- ${group} ---`);
    for (const variable of variables) lines.push('', ...exampleLines(variable));
  }
  return `${lines.join('\n')}\n`;
}

/** The table of variables in docs/reference.md. */
export function variableTable(): string {
  return [
    '| variable | meaning | default |',
    '| --- | --- | --- |',
    ...VARIABLES.map(tableRow),
    '',
  ].join('\n');
}

function byGroup(): Map<string, CatalogueEntry[]> {
  const groups = new Map<string, CatalogueEntry[]>();
  for (const variable of VARIABLES) {
    groups.set(variable.group, [...(groups.get(variable.group) ?? []), variable]);
  }
  return groups;
}

function exampleLines(variable: CatalogueEntry): string[] {
  const rule = ruleOf(variable);
  const comment = `# ${variable.meaning}${rule && ` ${rule}`}`;
  return variable.example === undefined
    ? [comment, `#${variable.name}=${variable.default ?? ''}`]
    : [comment, `${variable.name}=${variable.example}`];
}

function tableRow(variable: CatalogueEntry): string {
  const cells = [`\`${variable.name}\``, variable.meaning, tableDefault(variable)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function tableDefault(variable: CatalogueEntry): string {
  return variable.default === undefined ? ruleOf(variable) : `\`${variable.default}\``;
}

/** What applies when the variable is not set and has no default to write out. */
function ruleOf({ required, fallback }: CatalogueEntry): string {
  if (required !== undefined) return `Required ${required}.`.replace(' .', '.');
  return fallback === undefined ? '' : `Default: same as ${fallback}.`;
}
