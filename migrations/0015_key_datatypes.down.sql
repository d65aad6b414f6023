DROP FUNCTION {{schema}}.require_datatype;
DROP FUNCTION {{schema}}.datatype_of_result;
