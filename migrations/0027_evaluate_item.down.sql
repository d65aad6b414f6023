DROP FUNCTION {{schema}}.evaluate_item({{schema}}.batch_item, integer);
DROP FUNCTION {{schema}}.reason_of_failure({{schema}}.batch_item, text, text);
DROP FUNCTION {{schema}}.datatype_for({{schema}}.batch_item);
DROP FUNCTION {{schema}}.fit_to_datatype({{schema}}.item_result);
DROP FUNCTION {{schema}}.probe_fragment(text);
DROP FUNCTION {{schema}}.fragment_text(text);
DROP FUNCTION {{schema}}.require_closed(text);
DROP FUNCTION {{schema}}.is_plainly_closed(text);
