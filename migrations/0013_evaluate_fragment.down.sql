DROP FUNCTION {{schema}}.evaluate_fragment(text, text, integer);
DROP FUNCTION {{schema}}.datatype_of(text);
DROP FUNCTION {{schema}}.element_type(regtype, text);
DROP TYPE {{schema}}.key_set;
