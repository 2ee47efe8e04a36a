DROP TABLE provider_connections;
DROP TABLE signing_keys;
DROP TABLE api_keys;
DROP TABLE players;
DROP TABLE staff;
DROP TABLE tenants;
