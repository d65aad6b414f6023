DROP FUNCTION {{schema}}.collected_as(text);
DROP FUNCTION {{schema}}.require_datatype(oid, text);
DROP FUNCTION {{schema}}.datatype_of_result(oid);
