DROP TABLE {{schema}}.attempt;
DROP TABLE {{schema}}.claim;
DROP TABLE {{schema}}.slot;
