-- set_bit() on strings of 1,024 bits, which are cheap to copy, joined
-- as text. Takes the keys in ascending order.
CREATE FUNCTION bits.small_strings(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  c_empty CONSTANT bit varying := repeat('0', 1024)::bit varying;
  v_part bit varying := c_empty;
  v_parts text[] := '{}';
  v_number integer := 0;
  v_key bigint;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    WHILE v_key >> 10 > v_number LOOP
      v_parts[v_number] := v_part::text;
      v_number := v_number + 1;
      v_part := c_empty;
    END LOOP;
    v_part := pg_catalog.set_bit(v_part, (v_key & 1023)::integer, 1);
  END LOOP;
  v_parts[v_number] := v_part::text;
  RETURN substring(
    rpad(array_to_string(v_parts, ''), p_bitsize, '0')::bit varying FROM 1 FOR p_bitsize);
END
$$;
