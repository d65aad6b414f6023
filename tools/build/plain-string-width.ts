/**
 * Takes the place of the package string-width in what is shipped: yargs measures the lines of its help with that, and
 * what it does for emoji and combined characters takes longer than all the rest of --help. Our help has neither.
 */
export default function stringWidth(text: string): number {
  return [...text].length;
}
