/** Paragraphs, one empty line apart; what is empty is left out. */
export function paragraphs(...texts: readonly (string | undefined | false)[]): string {
  return texts.filter(Boolean).join('\n\n');
}

export function indented(text: string, by = '  '): string {
  return text.replaceAll(/^(?=.)/gm, by);
}

/** `1 migration`, `2 migrations`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

export function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** A heading and a line for each item; empty without items. */
export function listed(heading: string, items: readonly string[]): string {
  return items.length === 0 ? '' : [heading, ...items.map((item) => `  ${item}`)].join('\n');
}
