-- Up Migration

-- Into how many parts the shared board is cut where the nodes are servers of one Redis Cluster; null: they form a ring.
alter table ring add column cluster_parts integer check (cluster_parts > 0);
