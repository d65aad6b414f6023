DROP FUNCTION {{schema}}.release_dead_claims();
DROP FUNCTION {{schema}}.run_is_alive(integer, integer);
DROP FUNCTION {{schema}}.put_back({{schema}}.claim, text, text, text, interval);
DROP FUNCTION {{schema}}.settle({{schema}}.claim, text, text, text, text, text, integer);
DROP FUNCTION {{schema}}.release_claim({{schema}}.claim);
