import type { PlaceholderValues } from '../migrations/render-sql.js';

/**
 * A table as every deployment finds its own: `{{fragment_queue}}`, `{{schema}}.batch`,
 * `{{client_schema}}.{{table_prefix}}_cache_*` (all whose names begin so), `cron.job`.
 */
export type RelationTemplate = string;

export interface NamedRelation {
  readonly schema: string;
  readonly name: string;
}

const CACHE_TABLES = '{{client_schema}}.{{table_prefix}}_cache_*';

/** What the template stands for here; a name that ends in `*` stands for all that begin so. */
export function relationOf(template: RelationTemplate, values: PlaceholderValues): NamedRelation {
  const pair = /^\{\{([a-z_]+)\}\}$/.exec(template)?.[1];
  const value = pair === undefined ? undefined : values[pair];
  if (Array.isArray(value)) return { schema: value[0], name: value[1] };
  const [schema = '', name = ''] = template.split(/\.(.*)/s);
  return { schema: filledIn(schema, values), name: filledIn(name, values) };
}

function filledIn(text: string, values: PlaceholderValues): string {
  return text.replaceAll(/\{\{([a-z_]+)\}\}/g, (found, name: string) => {
    const value = values[name];
    return typeof value === 'string' ? value : found;
  });
}

/** The template for a table of this deployment; undefined for one that is not of its making. */
export function templateOf(
  { schema, name }: NamedRelation,
  values: PlaceholderValues,
): RelationTemplate | undefined {
  const contract = Object.entries(values).find(
    ([, value]) => Array.isArray(value) && value[0] === schema && value[1] === name,
  );
  if (contract) return `{{${contract[0]}}}`;
  if (schema === values.client_schema && name.startsWith(`${values.table_prefix}_cache_`)) {
    return CACHE_TABLES;
  }
  if (schema === values.schema) return `{{schema}}.${name}`;
  if (schema === values.cron_schema) return `{{cron_schema}}.${name}`;
  return schema === 'cron' ? `cron.${name}` : undefined;
}
