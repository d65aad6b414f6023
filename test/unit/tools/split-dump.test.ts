import { describe, expect, it } from 'vitest';
import { splitDump } from '../../../tools/schema/split-dump.js';

const section = (name: string, type: string, sql: string) =>
  `--\n-- Name: ${name}; Type: ${type}; Schema: s; Owner: o\n--\n\n${sql}\n\n\n`;

describe('a dump', () => {
  it('becomes a file for each object, with what belongs to it', () => {
    const dump = [
      'SET statement_timeout = 0;\n',
      section('f(integer)', 'FUNCTION', 'CREATE FUNCTION s.f(integer) …;'),
      section('f(text)', 'FUNCTION', 'CREATE FUNCTION s.f(text) …;'),
      section('FUNCTION f(integer)', 'COMMENT', "COMMENT ON FUNCTION s.f(integer) IS 'f';"),
      section('t', 'TABLE', 'CREATE TABLE s.t (id integer);'),
      section('COLUMN t.id', 'COMMENT', "COMMENT ON COLUMN s.t.id IS 'id';"),
      section('t_id_seq', 'SEQUENCE', 'CREATE SEQUENCE s.t_id_seq;'),
      section('t_id_seq', 'SEQUENCE OWNED BY', 'ALTER SEQUENCE s.t_id_seq OWNED BY s.t.id;'),
      section(
        't id',
        'DEFAULT',
        "ALTER TABLE ONLY s.t ALTER COLUMN id SET DEFAULT nextval('s.t_id_seq');",
      ),
      section(
        't_pkey',
        'CONSTRAINT',
        'ALTER TABLE ONLY s.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);',
      ),
      section('t_idx', 'INDEX', 'CREATE INDEX t_idx ON s.t USING btree (id);'),
      section('t notify', 'TRIGGER', 'CREATE TRIGGER notify AFTER INSERT ON s.t …;'),
      section('v', 'VIEW', 'CREATE VIEW s.v AS SELECT 1;'),
      section('FUNCTION f(text)', 'ACL', 'GRANT ALL ON FUNCTION s.f(text) TO r;'),
      section('SEQUENCE t_id_seq', 'ACL', 'GRANT USAGE ON SEQUENCE s.t_id_seq TO r;'),
    ].join('');
    const files = splitDump(dump);
    expect([...files.keys()].sort()).toEqual(['functions/f.sql', 'tables/t.sql', 'views/v.sql']);
    expect(files.get('functions/f.sql')).toBe(
      "CREATE FUNCTION s.f(integer) …;\n\nCREATE FUNCTION s.f(text) …;\n\nCOMMENT ON FUNCTION s.f(integer) IS 'f';\n\nGRANT ALL ON FUNCTION s.f(text) TO r;\n",
    );
    expect(files.get('tables/t.sql')?.match(/^(CREATE|ALTER|COMMENT|GRANT)/gm)).toHaveLength(9);
  });

  it('loses nothing: a kind without a folder is an error', () => {
    expect(() => splitDump(section('p', 'POLICY', 'CREATE POLICY p ON s.t;'))).toThrow(
      'no folder for POLICY p',
    );
  });
});
