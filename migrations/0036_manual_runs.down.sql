DROP FUNCTION {{schema}}.process_batch(text, integer);
DROP FUNCTION {{schema}}.restore_session(text[], text[]);
DROP FUNCTION {{schema}}.lock_again(text);
DROP FUNCTION {{schema}}.unlock_once(text);
DROP FUNCTION {{schema}}.session_locks();
DROP FUNCTION {{schema}}.process_claimed({{schema}}.run_step);
DROP PROCEDURE {{schema}}.process_now(text, text);
DROP FUNCTION {{schema}}.claim_by_hand(text, integer, integer, boolean);
