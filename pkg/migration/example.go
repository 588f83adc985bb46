package migration

// ExampleSchema is what the rules' examples are about: the database as the old
// version knows it, and its role.
const ExampleSchema = `CREATE ROLE app;
CREATE TYPE order_state AS ENUM ('new', 'paid');
CREATE TABLE customers (id bigint PRIMARY KEY, email text);
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id bigint REFERENCES customers,
    note varchar(20),
    quantity integer CONSTRAINT orders_quantity CHECK (quantity >= 0),
    total numeric(10,2) NOT NULL DEFAULT 0,
    state order_state NOT NULL DEFAULT 'new'
);
CREATE VIEW open_orders AS SELECT id, total FROM orders WHERE state = 'new';
CREATE TABLE carts (id bigint PRIMARY KEY, note text);
CREATE TABLE coupons (id bigint PRIMARY KEY, code text);
CREATE TABLE events (id bigint, day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
INSERT INTO customers SELECT number, 'someone' FROM generate_series(1, 100) AS number;
INSERT INTO orders (id, customer_id, note, quantity) SELECT number, 1, 'a note', 1 FROM generate_series(1, 100) AS number;
INSERT INTO carts SELECT number, 'a note' FROM generate_series(1, 100) AS number;
`
