DROP FUNCTION {{schema}}.finish;
DROP FUNCTION {{schema}}.confirm_skip;
DROP FUNCTION {{schema}}.settle_each;
DROP FUNCTION {{schema}}.settle_one;
DROP FUNCTION {{schema}}.store_and_settle;
DROP FUNCTION {{schema}}.put_back;
DROP FUNCTION {{schema}}.settle_results;
DROP FUNCTION {{schema}}.delete_locked;
