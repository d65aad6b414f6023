export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    least: at(0),
    most: at(sorted.length - 1),
  };
}

/** The spread of the ratios, round by round, of values that were measured in the same rounds. */
export function ratioOf(values: readonly number[], references: readonly number[]): Spread {
  const rounds = Math.min(values.length, references.length);
  return spreadOf(
    values.slice(0, rounds).map((value, round) => value / (references[round] ?? Number.NaN)),
  );
}

/** `1.23 (1.20–1.31)`: the median, and the least and the most of all repetitions. */
export function shown({ median, least, most }: Spread): string {
  return least === most || Number.isNaN(median)
    ? number(median)
    : `${number(median)} (${number(least)}–${number(most)})`;
}

export function number(value: number): string {
  if (!Number.isFinite(value)) return '—';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return Number(value.toPrecision(3)).toString();
}
