-- Up Migration

-- The nodes of the shared board, the same for all processes of the installation. One row at most.
create table ring (
  only_row boolean primary key default true check (only_row),
  generation integer not null,
  nodes text[] not null,
  virtual_nodes integer not null,
  label text not null,
  changed_at timestamptz not null default clock_timestamp()
);
