import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  importCircles,
  importsOf,
  outwardImports,
  type Sources,
  unlistedRooms,
  upwardImports,
} from '../harness/import-rules.js';

/** From bottom to top: a file imports from its own room and from those below it. */
const ROOMS = [
  'errors',
  'text',
  'settings',
  'database',
  'migrations',
  'deployment',
  'releases',
  'objects',
  'jobs',
  'processor',
  'adoption',
  'doctor',
  'plan',
  'operations',
  'cli',
  'index.ts',
];

const ROOT = join(import.meta.dirname, '../..');

function readSources(folder: string): Sources {
  const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    files.map((file) => [relative(ROOT, file).split(sep).join('/'), readFileSync(file, 'utf8')]),
  );
}

describe('the sources', () => {
  const sources = readSources('src');

  test('are read, and so are their imports', () => {
    expect([...sources.keys()]).toContain('src/cli/commands/up.ts');
    expect(importsOf(sources)).toContainEqual({
      file: 'src/cli/commands/up.ts',
      imported: 'src/operations/up.ts',
    });
    for (const { imported } of importsOf(sources)) {
      if (imported.startsWith('src/')) expect([...sources.keys()]).toContain(imported);
    }
  });

  test('lie in rooms that are listed', () => {
    expect(unlistedRooms(sources, ROOMS)).toEqual([]);
  });

  test('import from no room above their own', () => {
    expect(upwardImports(sources, ROOMS)).toEqual([]);
  });

  test('import nothing that does not ship', () => {
    expect(outwardImports(sources)).toEqual([]);
  });

  test('have no import cycles', () => {
    expect(importCircles(sources)).toEqual([]);
  });
});

test.each(['tools', 'bench'])('%s has no circle either', (folder) => {
  const sources = readSources(folder);
  expect(sources.size).toBeGreaterThan(10);
  expect(importCircles(sources)).toEqual([]);
});

describe('the check finds', () => {
  const sources = (files: Record<string, string>): Sources => new Map(Object.entries(files));

  test('an import from a room above, also of a type only, of several lines, or a dynamic one', () => {
    const upward = sources({
      'src/low/a.ts': "import { b } from '../high/b.js';",
      'src/low/b.ts': "import type {\n  B,\n} from '../high/deep/b.js';",
      'src/low/c.ts': "const b = await import('../high/b.js');",
      'src/low/d.ts': "export { b } from '../index.js';",
      'src/high/b.ts': "import { a } from '../low/a.js';\nimport { c } from './deep/b.js';",
      'src/index.ts': "export { b } from './high/b.js';",
    });
    expect(upwardImports(upward, ['low', 'high', 'index.ts'])).toEqual([
      { file: 'src/low/a.ts', imported: 'src/high/b.ts' },
      { file: 'src/low/b.ts', imported: 'src/high/deep/b.ts' },
      { file: 'src/low/c.ts', imported: 'src/high/b.ts' },
      { file: 'src/low/d.ts', imported: 'src/index.ts' },
    ]);
  });

  test('a cycle, also within one room and of types only', () => {
    const circular = sources({
      'src/low/a.ts': "import { b } from './b.js';",
      'src/low/b.ts': "import { c } from './c.js';",
      'src/low/c.ts': "import type { B } from './b.js';",
    });
    expect(importCircles(circular)).toEqual([['src/low/b.ts', 'src/low/c.ts', 'src/low/b.ts']]);
  });

  test('no cycle if two files merely import the same file', () => {
    const diamond = sources({
      'src/low/a.ts': "import { b } from './b.js';\nimport { c } from './c.js';",
      'src/low/b.ts': "import { c } from './c.js';",
      'src/low/c.ts': '',
    });
    expect(importCircles(diamond)).toEqual([]);
  });

  test('an import of a tool', () => {
    expect(
      outwardImports(sources({ 'src/low/a.ts': "import { a } from '../../tools/a.js';" })),
    ).toEqual([{ file: 'src/low/a.ts', imported: 'tools/a.ts' }]);
  });

  test('a folder, or a file next to the folders, that is missing from the list', () => {
    expect(
      unlistedRooms(sources({ 'src/low/a.ts': '', 'src/new/b.ts': '', 'src/main.ts': '' }), [
        'low',
      ]),
    ).toEqual(['new', 'main.ts']);
  });
});
