{{include 0019_client_enqueue.up.sql}}
