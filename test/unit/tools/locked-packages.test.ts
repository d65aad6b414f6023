import { expect, it } from 'vitest';
import { productionPackages } from '../../../tools/dependencies/locked-packages.js';

const lock = {
  packages: {
    '': { dependencies: { a: '^1' }, devDependencies: { tool: '^1' } },
    'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '^1', '@c/d': '^1' } },
    'node_modules/a/node_modules/b': { version: '1.5.0', license: 'ISC' },
    'node_modules/b': { version: '2.0.0' },
    'node_modules/@c/d': { version: '1.0.0', license: 'MIT', peerDependencies: { b: '*' } },
    'node_modules/tool': { version: '1.0.0', license: 'MIT', dev: true, dependencies: { b: '^2' } },
  },
};

it('lists what is installed in production, with who asks for which version', () => {
  expect(productionPackages(lock)).toEqual([
    { name: '@c/d', version: '1.0.0', licence: 'MIT', wantedBy: ['a'] },
    { name: 'a', version: '1.0.0', licence: 'MIT', wantedBy: ['pcache-migrate'] },
    { name: 'b', version: '1.5.0', licence: 'ISC', wantedBy: ['a'] },
    { name: 'b', version: '2.0.0', licence: 'not stated', wantedBy: ['@c/d'] },
  ]);
});

it('lists copies of one version once', () => {
  const copies = {
    packages: {
      '': { dependencies: { a: '^1', b: '^1' } },
      'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { c: '^1' } },
      'node_modules/b': { version: '1.0.0', license: 'MIT', dependencies: { c: '^1' } },
      'node_modules/a/node_modules/c': { version: '1.0.0', license: 'MIT' },
      'node_modules/b/node_modules/c': { version: '1.0.0', license: 'MIT' },
    },
  };
  expect(productionPackages(copies).at(-1)).toEqual({
    name: 'c',
    version: '1.0.0',
    licence: 'MIT',
    wantedBy: ['a', 'b'],
  });
});
