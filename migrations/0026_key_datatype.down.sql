DROP FUNCTION {{schema}}.element_type(text);
DROP FUNCTION {{schema}}.require_datatype(oid, text);
DROP FUNCTION {{schema}}.datatype_of_result(oid);
