CREATE OR REPLACE VIEW {{schema}}.failures AS SELECT * FROM {{schema}}.failures_within('24 hours');
COMMENT ON VIEW {{schema}}.failures IS
  'Failures and timeouts of the last 24 hours by SQLSTATE, each with the last one as an example. '
  'No row when nothing failed.';
COMMENT ON COLUMN {{schema}}.failures.sqlstate IS
  'The SQLSTATE of the error; 57014 for a timeout, NULL where the message has none.';
COMMENT ON COLUMN {{schema}}.failures.reason IS
  'error; timeout (cancelled after timeout_seconds); set aside (its runs died or were turned away '
  'max_attempts times).';
COMMENT ON COLUMN {{schema}}.failures.failures IS
  'How many rows of the log; one fragment may have failed several times.';
COMMENT ON COLUMN {{schema}}.failures.still_failed IS
  'How many of the fragments failed in this way the last time and have been neither evaluated nor '
  'retried since.';
GRANT SELECT ON {{schema}}.failures TO {{client_role}}, {{cron_role}};
