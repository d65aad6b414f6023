-- The first processor committed twice for each fragment, parsed each one twice and wrote four rows to say what it
-- was doing. What follows replaces it: this takes its routines away, but for those that stay as they are
-- (widen_partition, store_unusable, run_is_alive, is_cached). The files that made them are history.

{{include 0023_monitoring.down.sql}}
{{include 0018_maintenance.down.sql}}
{{include 0017_run_processor.down.sql}}
DROP FUNCTION {{schema}}.process_batch(text, integer);
DROP FUNCTION {{schema}}.process_claim(integer, text, text);
DROP FUNCTION {{schema}}.evaluate_and_store({{schema}}.claim, integer, integer);
DROP FUNCTION {{schema}}.release_dead_claims();
DROP FUNCTION {{schema}}.put_back({{schema}}.claim, text, text, text, interval);
DROP FUNCTION {{schema}}.settle({{schema}}.claim, text, text, text, text, text, integer);
DROP FUNCTION {{schema}}.release_claim({{schema}}.claim);
DROP FUNCTION {{schema}}.store_keys(text, text, {{schema}}.key_set);
DROP FUNCTION {{schema}}.key_bits(bigint[], integer);
{{include 0013_evaluate_fragment.down.sql}}
