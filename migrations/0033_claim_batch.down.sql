DROP FUNCTION {{schema}}.items_of(integer[]);
DROP FUNCTION {{schema}}.claim_batch(integer, integer, integer, integer);
DROP FUNCTION {{schema}}.claim_suspect(integer);
DROP FUNCTION {{schema}}.insert_batch(integer, integer[], boolean);
DROP FUNCTION {{schema}}.lock_claimable(integer, integer, integer);
