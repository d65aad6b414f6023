DROP TABLE {{schema}}.recording;
DROP TABLE {{schema}}.recorded_object;
DROP TABLE {{schema}}.ledger;
DROP TABLE {{schema}}.release;
