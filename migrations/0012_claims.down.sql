DROP TYPE {{schema}}.item_result;
DROP TYPE {{schema}}.run_context;
DROP TYPE {{schema}}.batch_item;
DROP TABLE {{schema}}.batch;
DROP TABLE {{schema}}.attempt;
DROP TABLE {{schema}}.slot;
