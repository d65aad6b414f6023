ALTER FUNCTION {{schema}}.desired_jobs() RESET jit;
