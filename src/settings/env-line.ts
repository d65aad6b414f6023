const QUOTES = ["'", '`', '"'];

/** The variable as a line of a .env file, quoted where that is read to another value without. */
export function envLine(name: string, value: string): string {
  if (/^[^\s#'"`]+$/u.test(value)) return `${name}=${value}`;
  const quote = QUOTES.find((mark) => !value.includes(mark)) ?? '';
  return `${name}=${quote}${value}${quote}`;
}
