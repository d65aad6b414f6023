DROP FUNCTION {{schema}}.items_of;
DROP FUNCTION {{schema}}.claim_batch;
DROP FUNCTION {{schema}}.claim_suspect;
DROP FUNCTION {{schema}}.insert_batch;
DROP FUNCTION {{schema}}.lock_unclaimed;
DROP FUNCTION {{schema}}.lock_claimable;
