/** Local time of day, to the second. */
export function clockTime(date: Date): string {
  return date.toLocaleTimeString('en-GB');
}
