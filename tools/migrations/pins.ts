import type { Routine } from './routine.js';

/**
 * A migration holds the text of each routine that it creates or replaces, between two lines:
 *
 *     --! routine <name>
 *     …
 *     --! end
 *
 * so that the package alone can reproduce every state that was ever deployed. A line `--! dropped <name>`
 * says that the routine is gone from this migration on.
 */
const PIN = /^--! routine ([a-z0-9_]+)\n([\s\S]*?)^--! end$/gm;
const DROPPED = /^--! dropped ([a-z0-9_]+)$/gm;

export function pinsOf(script: string): Map<string, string> {
  return new Map(
    [...script.matchAll(PIN)].map(([, name, text]) => [name as string, text as string]),
  );
}

export function droppedIn(script: string): string[] {
  return [...script.matchAll(DROPPED)].map(([, name]) => name as string);
}

export function pinOf({ name, text }: Routine): string {
  return `--! routine ${name}\n${text}--! end\n`;
}

export function droppedMark(name: string): string {
  return `--! dropped ${name}\n`;
}

/** The script with the text of each pin that `textOf` knows; others stay as they are. */
export function replacePins(script: string, textOf: (name: string) => string | undefined): string {
  return script.replace(PIN, (pin: string, name: string) => {
    const text = textOf(name);
    return text === undefined ? pin : pinOf({ name, text }).trimEnd();
  });
}
