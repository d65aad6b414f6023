import { describe, expect, it } from 'vitest';
import { planMarkdown } from '../../../src/cli/output/plan-markdown.js';
import type { PlanReport } from '../../../src/operations/plan.js';
import { hashOf } from '../../../src/plan/plan-hash.js';
import { PLAN, WORK } from '../plan/sample-plan.js';

function markdown(plan: typeof PLAN, limit = 60_000): string {
  const report: PlanReport = { hash: hashOf(plan), isPending: true, ...plan };
  return planMarkdown(report, { limit, verbose: 'pcache-migrate plan --verbose' });
}

/** The text without code: fenced, in line, or in a summary's <code>. What is left must be ours. */
function outsideCode(text: string): string {
  return text
    .replaceAll(/^(`{3,})[a-z]+\n[\s\S]*?\n\1$/gm, '')
    .replaceAll(/<code>[^<>]*<\/code>/g, '')
    .replaceAll(/(?<!`)(`+)(?!`)[^\n]*?[^`\n]\1(?!`)/g, '');
}

const EVIL = [
  '</code></summary></details><h1>EVIL',
  '``` \n# EVIL',
  '`EVIL`',
  '[EVIL](http://e.example)',
  '![EVIL](http://e.example/x.png)',
  '<img src=x onerror=EVIL>',
  '@EVIL',
  'a | EVIL | b',
  '\n\n# EVIL\n',
  '````\nEVIL',
  '\u202eEVIL',
  '`````',
];

describe('Markdown', () => {
  it.each(EVIL)('has %j in code alone, wherever it comes from', (evil) => {
    const [migration] = WORK.migrations;
    const [object] = WORK.objects;
    if (migration === undefined || object === undefined) throw new Error('the sample is empty');
    const text = markdown({
      ...PLAN,
      packageVersion: evil,
      fragmentRole: evil,
      administrator: [{ database: evil, lines: [evil] }],
      jobs: [{ action: 'scheduled', jobName: evil, schedule: evil, command: evil, database: evil }],
      unknown: [{ part: 'link', reason: evil }],
      obstacles: [evil],
      unchecked: [evil],
      streams: [
        {
          ...WORK,
          database: evil,
          schema: evil,
          newer: [evil],
          preparation: [evil],
          migrations: [
            {
              ...migration,
              name: evil,
              sql: evil,
              drops: [evil],
              locks: [{ relation: evil, modes: ['ShareLock'], rows: 1, bytes: 1 }],
            },
          ],
          objects: [
            { ...object, name: evil, diff: evil },
            { ...object, name: evil, diff: '' },
          ],
        },
      ],
    });
    expect(text.split('EVIL').length).toBeGreaterThan(evil.includes('EVIL') ? 10 : 0);
    const ours = outsideCode(text);
    expect(ours).not.toContain('EVIL');
    expect(ours.replaceAll(/<\/?(details|summary)>/g, '')).not.toMatch(/[<>]/);
    expect(ours.match(/<details>/g)?.length).toBe(ours.match(/<\/details>/g)?.length);
    expect(text).not.toMatch(/[\p{Bidi_Control}]/u);
    // Each row of a table has as many cells as its heading.
    for (const row of text.split('\n').filter((line) => line.startsWith('| '))) {
      expect([5, 6]).toContain(row.replaceAll('\\|', '').split('|').length - 2);
    }
  });

  it('leaves out whole parts for want of room, and says which', () => {
    const [migration] = WORK.migrations;
    if (migration === undefined) throw new Error('the sample is empty');
    const many = Array.from({ length: 50 }, (_, index) => ({
      ...migration,
      name: `${String(index).padStart(4, '0')}_m`,
      sql: 'x'.repeat(1000),
    }));
    const plan = { ...PLAN, streams: [{ ...WORK, migrations: many }] };
    const text = markdown(plan, 10_000);
    expect(text.length).toBeLessThanOrEqual(10_000);
    expect(text).toMatch(/Left out for want of room: \d+ parts\*\* \(`SQL of the work stream, 00/);
    expect(text).toContain('`pcache-migrate plan --verbose`');
    expect(text).toContain(`Hash: \`${hashOf(plan)}\``);
    expect(text).toContain('public.queue');
    expect(text.match(/^```/gm)?.length).toBe((text.match(/<details>/g)?.length ?? 0) * 2 + 2);
  });
});
