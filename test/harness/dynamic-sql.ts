/** A place where a routine puts together the SQL that it executes from more than names and literals. */
export interface DynamicSql {
  readonly file: string;
  /** From EXECUTE to the semicolon, and what is assigned to the variables in it; white space collapsed. */
  readonly statement: string;
  /** %s, ||, or a variable: whatever is executed that this statement does not quote itself. */
  readonly kinds: readonly string[];
}

/**
 * What is executed and not wholly made of constants, %I, %L and USING. Read from the source of a routine, or from a
 * migration; what stands in comments does not count.
 */
export function dynamicSqlOf(file: string, source: string): DynamicSql[] {
  const text = withoutComments(source);
  return executions(text).flatMap((statement) => {
    const kinds = kindsOf(statement);
    if (kinds.length === 0) return [];
    const parts = [statement, ...assignmentsTo(variablesOf(statement), text)];
    return [{ file, statement: parts.map(collapsed).join('; '), kinds }];
  });
}

function withoutComments(source: string): string {
  return source.replace(/'(?:[^']|'')*'|--[^\n]*/g, (match) =>
    match.startsWith('--') ? '' : match,
  );
}

/** GRANT EXECUTE and EXECUTE FUNCTION execute nothing; what goes over the link is executed at its other end. */
function executions(text: string): string[] {
  return [
    ...text.matchAll(
      /(?<!GRANT )\bEXECUTE\b(?! (?:FUNCTION|PROCEDURE|ON)\b)|(?<!FUNCTION \{\{schema\}\}\.)\bquery_cron_link\(/g,
    ),
  ].map((match) => upToSemicolon(text.slice(match.index)));
}

/** Semicolons within quotes, dollar quotes and parentheses are not the end. */
function upToSemicolon(text: string): string {
  let depth = 0;
  for (const token of text.matchAll(/'(?:[^']|'')*'|\$(\w*)\$[\s\S]*?\$\1\$|[();]/g)) {
    if (token[0] === '(') depth += 1;
    if (token[0] === ')') depth -= 1;
    if (token[0] === ';' && depth <= 0) return text.slice(0, token.index);
  }
  return text;
}

function variablesOf(statement: string): string[] {
  return [...new Set([...statement.matchAll(/\bv_\w+/g)].map(([name]) => name))];
}

function assignmentsTo(variables: readonly string[], text: string): string[] {
  return variables.flatMap((variable) =>
    [...text.matchAll(new RegExp(`\\b${variable}\\b(?: constant)?(?: \\w+)? := `, 'g'))].map(
      (match) => upToSemicolon(text.slice(match.index)),
    ),
  );
}

function kindsOf(statement: string): string[] {
  const what = statement
    .replace(/^EXECUTE\s+/, '')
    .replace(/^query_cron_link\(([\s\S]*)\)$/, '$1')
    .replace(/\s+(?:INTO|USING)\s[\s\S]*$/, '');
  const kinds: string[] = [];
  if (/%(?:\d+\$)?s/.test(what)) kinds.push('%s');
  if (/\|\|/.test(what)) kinds.push('||');
  if (/^\w+$/.test(what.trim())) kinds.push('variable');
  return kinds;
}

/** What a template of SQL in TypeScript puts in beside quoted names and literals, such as `set.join(', ')`. */
export function interpolationsOf(source: string): string[] {
  return [
    ...source.matchAll(
      /`\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH|COPY|COMMENT|TRUNCATE|GRANT|REVOKE|ALTER|CREATE|DROP|CALL|SET|LOCK|DO)\b(?:\\.|[^`\\])*`/g,
    ),
  ]
    .flatMap(([template]) =>
      [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, inserted = '']) => inserted),
    )
    .filter(
      (inserted) => !/^(?:\w+Name|(?:pg\.)?escape(?:Identifier|Literal))\([^;]*\)$/.test(inserted),
    );
}

function collapsed(statement: string): string {
  return statement.replace(/\s+/g, ' ').trim();
}
