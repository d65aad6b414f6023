import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect } from 'vitest';
import type { Stage } from '../../harness/stage.js';

const PAGE = 'docs/procedures.md';
const isWriting = process.env.PCACHE_WRITE_PROCEDURES === '1';

/** What a person types, and what is answered; compared with a part of docs/procedures.md at the end. */
export interface Transcript {
  /** A command of this package; returns what it answered. */
  type(line: string, code?: number): Promise<string>;
  /** SQL, as an administrator. */
  psql(database: string, ...lines: readonly string[]): Promise<void>;
  edit(name: string, value: string): void;
  /** A line of the shell, which the caller has run. */
  shell(line: string): void;
  /** What a command printed to type, in its order, the restart too. */
  obey(answer: string): Promise<void>;
  /** That the page's part has this transcript; or writes it. */
  end(title: string): void;
}

export function transcriptOn(stage: Stage): Transcript {
  const shown: string[] = [];
  const psql = async (database: string, ...lines: readonly string[]) => {
    await stage.asAdmin(database, ...lines);
    shown.push(...lines.map((line) => `${database}=# ${line}`), '');
  };
  return {
    psql,
    type: async (line, code = 0) => {
      const ran = await stage.run(line);
      const answer = `${withoutProgress(ran.stderr)}${ran.stdout}`.trimEnd();
      expect(ran.code, answer).toBe(code);
      const comment = code === 0 ? '' : `   # exit code ${code}`;
      shown.push(`$ npx pcache-migrate ${line}${comment}`, answer, '');
      return answer;
    },
    edit: (name, value) => {
      stage.env[name] = value;
      shown.push(`$ export ${name}=${value}   # or in .env`);
    },
    shell: (line) => shown.push(`$ ${line}`, ''),
    obey: async (answer) => {
      let database = '';
      for (const line of answer.split('\n')) {
        database = /in database "(.*)":$/.exec(line)?.[1] ?? database;
        if (/^ +pg_ctl restart/.test(line)) {
          await stage.cluster.restart();
          shown.push(`$ ${line.trim()}`, '');
        } else if (/^ +\S.*;$/.test(line)) await psql(database, line.trim());
      }
    },
    end: (title) => {
      const made = `\`\`\`console\n${plainly(shown.join('\n').trimEnd(), stage)}\n\`\`\``;
      const page = readFileSync(PAGE, 'utf8');
      const part = new RegExp(`(?<=\n## ${title}\n(?:(?!\n## )[^])*?)\`\`\`console\n[^]*?\n\`\`\``);
      expect(page).toMatch(part);
      if (isWriting) {
        writeFileSync(
          PAGE,
          page.replace(part, () => made),
        );
      } else {
        expect(part.exec(page)?.[0]).toBe(made);
      }
    },
  };
}

/** Without what depends on the moment. */
function withoutProgress(stderr: string): string {
  return stderr.replaceAll(
    /^(?:Waiting up to|(?:work|cron) +(?:rolling back +)?\d+\/\d+ ).*\n/gm,
    '',
  );
}

/** With names, times and addresses that say nothing of the machine. */
function plainly(text: string, { site }: Stage): string {
  const names: readonly (readonly [string | undefined, string])[] = [
    [site.cronRole.name, 'partitioncache_cron'],
    [site.migrator.name, 'partitioncache'],
    [site.app.name, 'my_application'],
    [site.fragmentRole, 'pcache_fragments'],
  ];
  return names
    .reduce((all, [from, to]) => (from === undefined ? all : all.replaceAll(from, to)), text)
    .replaceAll(/-D \S+\/data\b/g, '-D /var/lib/postgresql/17/main')
    .replaceAll(/\S+\/settings\.json/g, 'settings.json')
    .replaceAll(/sha256:[0-9a-f]{64}[-a-z,]*/g, 'sha256:3b1f…c09e')
    .replaceAll(
      /\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|\+00)?(?: UTC)?/g,
      '2026-11-27T03:12:45Z',
    )
    .replaceAll(/(Held by mode|Paused) now by/g, '$1 2 s ago by')
    .replaceAll(/\b\d+(?:\.\d+)? (?:ms|s)\b/g, '2 s')
    .replaceAll(/\b\d+ runs? of\b/g, '3 runs of')
    .replaceAll(/\b\d+ runs? in the history/g, '3 runs in the history')
    .replaceAll(`on ${hostname()}`, 'on deploy-7f4c9')
    .replaceAll(/127\.0\.0\.1(?::\d+)?/g, 'db.example.com');
}
