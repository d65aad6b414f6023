import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'bench/README.md',
  'examples/README.md',
  ...docsPages().map((name) => `docs/${name}`),
];

describe.each(pages)('%s', (page) => {
  it('has no broken links', () => {
    expect(brokenLinks(page, textOf(page))).toEqual([]);
  });
});

describe('the README', () => {
  it('names each page of docs/', () => {
    const links = linksIn(textOf('README.md'));
    for (const name of docsPages()) expect(links).toContain(`docs/${name}`);
  });
});

describe('a broken link', () => {
  it.each([
    ['to a file', '[x](docs/no-such-page.md)', 'docs/no-such-page.md'],
    ['to a heading', '[x](docs/reference.md#no-such-heading)', 'docs/reference.md#no-such-heading'],
    ['within the page', '# Title\n[x](#no-such-heading)', '#no-such-heading'],
    ['by reference', '[x]: no-such-file.md', 'no-such-file.md'],
  ])('%s is found', (_, text, target) => {
    expect(brokenLinks('README.md', text)).toEqual([target]);
  });

  it('is not one in code, nor one that leads elsewhere', () => {
    const text = '`[x](a.md)`\n```\n[x](b.md)\n```\n[x](https://example.org/c.md)';
    expect(brokenLinks('README.md', text)).toEqual([]);
  });
});

function docsPages(): string[] {
  return readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
}

function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8');
}

function brokenLinks(page: string, text: string): string[] {
  return linksIn(text).filter(
    (target) => !/^[a-z]+:/i.test(target) && !resolves(page, text, target),
  );
}

function linksIn(text: string): string[] {
  const prose = withoutFences(text).replace(/`[^`\n]*`/g, '');
  const inline = [...prose.matchAll(/\]\(([^)\s]+)\)/g)];
  const references = [...prose.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)];
  return [...inline, ...references].map(([, target]) => target ?? '');
}

function resolves(page: string, text: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return false;
  if (anchor === undefined) return true;
  return anchorsIn(path === '' ? text : textOf(file)).includes(anchor);
}

/** As GitHub and GitLab make them from headings; a heading that comes twice would get a number. */
function anchorsIn(text: string): string[] {
  return [...withoutFences(text).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function withoutFences(text: string): string {
  return text.replace(/^( *)```[\s\S]*?^\1```$/gm, '');
}
