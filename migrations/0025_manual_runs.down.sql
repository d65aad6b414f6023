DROP FUNCTION {{schema}}.process_batch;
DROP FUNCTION {{schema}}.process_claimed;
DROP FUNCTION {{schema}}.restore_session;
DROP FUNCTION {{schema}}.lock_again;
DROP FUNCTION {{schema}}.unlock_once;
DROP FUNCTION {{schema}}.session_locks;
DROP PROCEDURE {{schema}}.process_now;
DROP FUNCTION {{schema}}.claim_by_hand;
