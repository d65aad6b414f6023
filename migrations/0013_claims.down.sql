DROP TYPE {{schema}}.item_result;
DROP TYPE {{schema}}.run_context;
DROP TYPE {{schema}}.batch_item;
DROP VIEW {{schema}}.held_back;
DROP VIEW {{schema}}.claims;
DROP TABLE {{schema}}.batch;
DROP TABLE {{schema}}.attempt;
DROP TABLE {{schema}}.slot;
