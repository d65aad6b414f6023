import { posix } from 'node:path';

/** The text of source files by their path from the root of the package, as `src/cli/main.ts`. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
  readonly file: string;
  readonly imported: string;
}

// A type-only import counts too: a file that needs a type of a room knows that room.
const IMPORT = /\b(?:from|import)\s*\(?\s*(['"])(\.{1,2}\/[^'"]+)\1/gu;

export function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([file, text]) =>
    [...text.matchAll(IMPORT)].map(([, , specifier = '']) => ({
      file,
      imported: posix.join(posix.dirname(file), specifier).replace(/\.js$/u, '.ts'),
    })),
  );
}

/** The folder of `src` that a file is in, or the name of a file directly in `src`. */
export function roomOf(file: string): string {
  return file.split('/')[1] ?? file;
}

/** Imports from a room above the importing file's own; `rooms` are listed from bottom to top. */
export function upwardImports(sources: Sources, rooms: readonly string[]): Import[] {
  return importsOf(sources).filter(
    ({ file, imported }) =>
      isInside(imported) && rooms.indexOf(roomOf(imported)) > rooms.indexOf(roomOf(file)),
  );
}

/** Imports of what does not ship, such as tools and tests. */
export function outwardImports(sources: Sources): Import[] {
  return importsOf(sources).filter(({ imported }) => !isInside(imported));
}

/** Rooms that contain a file and are missing from the list. */
export function unlistedRooms(sources: Sources, rooms: readonly string[]): string[] {
  const used = new Set([...sources.keys()].map(roomOf));
  return [...used].filter((room) => !rooms.includes(room));
}

/** Import cycles between files, each as the path that leads back to its first file. */
export function importCircles(sources: Sources): string[][] {
  const importedBy = new Map<string, string[]>([...sources.keys()].map((file) => [file, []]));
  for (const { file, imported } of importsOf(sources)) importedBy.get(file)?.push(imported);
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const begin = path.indexOf(file);
    if (begin >= 0) {
      circles.push([...path.slice(begin), file]);
      return;
    }
    if (done.has(file)) return;
    for (const imported of importedBy.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return circles;
}

function isInside(file: string): boolean {
  return file.startsWith('src/');
}
