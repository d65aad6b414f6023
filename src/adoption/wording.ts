export function counted(count: number, noun: string, plural = 's'): string {
  return `${count} ${noun}${count === 1 ? '' : plural}`;
}

export function rowsText(rows: number | null): string {
  return rows === null ? 'rows unknown (this role may not read it)' : counted(rows, 'row');
}
