import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/errors/exit-codes.js';
import { variableTable } from '../../src/settings/documentation.js';

const REFERENCE = new URL('../../docs/reference.md', import.meta.url);
const VARIABLES = /(<!-- variables[^>]*-->\n)[\s\S]*?(<!-- \/variables -->)/;

describe('docs/reference.md', () => {
  it('has a row for each variable, as the catalogue describes it', async () => {
    const text = await readFile(REFERENCE, 'utf8');
    const current = text.replace(VARIABLES, `$1\n${variableTable().replaceAll('$', '$$$$')}\n$2`);
    // After changing the catalogue, run: npx vitest run --project unit test/unit/reference.test.ts --update
    await expect(current).toMatchFileSnapshot('../../docs/reference.md');
  });

  it('has a row for each exit code', async () => {
    const text = await readFile(REFERENCE, 'utf8');
    for (const code of Object.values(EXIT_CODES))
      expect(text).toMatch(new RegExp(`^\\| ${code} \\|`, 'm'));
  });
});
