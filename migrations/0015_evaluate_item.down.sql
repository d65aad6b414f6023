DROP FUNCTION {{schema}}.evaluate_item;
DROP FUNCTION {{schema}}.reason_of_failure;
DROP FUNCTION {{schema}}.datatype_for;
DROP FUNCTION {{schema}}.fit_to_datatype;
DROP FUNCTION {{schema}}.probe_fragment;
DROP FUNCTION {{schema}}.fragment_text;
DROP FUNCTION {{schema}}.require_closed;
DROP FUNCTION {{schema}}.is_plainly_closed;
