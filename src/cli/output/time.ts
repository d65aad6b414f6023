const UNITS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
];

/** `3 min ago`, `in 20 s`, `now`. */
export function relativeTime(date: Date, now: Date): string {
  const seconds = Math.round((date.getTime() - now.getTime()) / 1000);
  if (seconds === 0) return 'now';
  const amount = roundedSeconds(Math.abs(seconds));
  return seconds < 0 ? `${amount} ago` : `in ${amount}`;
}

export function duration(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : roundedSeconds(Math.round(seconds));
}

/** Three digits: `0.42 ms`, `12.3 ms`, `1.5 s`; from ten seconds on as `duration`. */
export function milliseconds(ms: number): string {
  const digits = (number: number) => String(Number(number.toPrecision(3)));
  if (ms < 999.5) return `${digits(ms)} ms`;
  return ms < 9995 ? `${digits(ms / 1000)} s` : duration(ms / 1000);
}

function roundedSeconds(seconds: number): string {
  const [size, name] = UNITS.find(([unit]) => seconds >= 2 * unit) ?? [1, 's'];
  return `${Math.floor(seconds / size)} ${name}`;
}
