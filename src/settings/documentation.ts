import { type CatalogueEntry, VARIABLES } from './variables.js';

/** What .env.example holds. */
export function envExample(): string {
  const lines = [
    '# Copy this file to .env and fill it in. What is commented out shows the default.',
    '# Variables of the environment win over this file.',
  ];
  for (const [group, variables] of byGroup()) {
    lines.push('', `# --- ${group} ---`);
    for (const variable of variables) lines.push('', ...exampleLines(variable));
  }
  return `${lines.join('\n')}\n`;
}

/** The table of the README. */
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

/** What counts when the variable is not set and has no default that could be written out. */
function ruleOf({ required, fallback }: CatalogueEntry): string {
  if (required !== undefined) return `Required ${required}.`.replace(' .', '.');
  return fallback === undefined ? '' : `Default: same as ${fallback}.`;
}
