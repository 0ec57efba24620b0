-- Up Migration

-- Secrets that every process of one installation shares: the key of the voter cookies and of the voter keys.
create table secrets (
  name text primary key,
  value bytea not null
);

-- ballot_form grows with every change to the options or to the rules for ballots: a ballot says which form it was checked against.
create table polls (
  poll_no integer generated always as identity primary key,
  id uuid not null unique,
  slug text not null unique,
  join_code text not null unique,
  question text not null,
  description text,
  electorate text not null check (electorate in ('open', 'cookie', 'declared', 'code', 'token')),
  electorate_size integer check (electorate_size > 0),
  revote text not null check (revote in ('refuse', 'replace')),
  visibility text not null check (visibility in ('always', 'after_vote', 'after_close', 'manager')),
  selections_min smallint not null check (selections_min >= 0),
  selections_max smallint not null check (selections_max >= 1),
  listed boolean not null,
  opens_at timestamptz,
  closes_at timestamptz,
  paused_at timestamptz,
  manage_key_hash bytea not null,
  revision integer not null default 1,
  ballot_form integer not null default 1,
  created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  check (selections_min <= selections_max),
  check (closes_at >= opens_at)
);

create index polls_by_creation on polls (created_at desc, poll_no desc);

-- option_no is the place on the ballot, from 1; it never changes. id is what clients name the option by.
create table options (
  poll_no integer not null references polls on delete cascade,
  option_no smallint not null check (option_no between 1 and 1000),
  id text not null,
  text text not null,
  description text,
  primary key (poll_no, option_no),
  unique (poll_no, id)
);

-- What was done to a poll, by whom it may be done, and when: opened, extended, reopened ...
create table poll_events (
  event_no bigint generated always as identity primary key,
  poll_no integer not null references polls on delete cascade,
  at timestamptz not null default clock_timestamp(),
  event text not null,
  detail jsonb not null default '{}'
);

create index poll_events_by_poll on poll_events (poll_no, event_no);

-- The time and the selections of a ballot that was superseded, so that its votes are taken back where they were counted.
create type superseded_mark as (cast_at timestamptz, selections text);

-- The ledger: one row for each counted ballot. The primary key decides who has voted; nothing else does.
-- No foreign key to polls: it would lock the poll's row for every ballot, and record_ballots reads polls anyway.
-- selections is the list of option numbers, ascending: '3' or '1,4'; '' is a blank ballot.
-- version is what the receipt says; null where the poll hid its results when the ballot was cast.
-- Columns are ordered by alignment: 90 bytes a row with its line pointer.
create table ballots (
  cast_at timestamptz not null,
  version bigint,
  poll_no integer not null,
  voter_key uuid not null,
  ballot_id uuid not null,
  retry_key uuid,
  selections text not null,
  superseded superseded_mark,
  primary key (poll_no, voter_key)
) partition by hash (voter_key);

create index ballots_by_id on ballots (ballot_id);

-- Every accepted ballot of the polls that let voters change their minds (revote = replace), counted or superseded.
-- The primary key makes a retry harmless: the same key never supersedes a second time.
create table ballot_history (
  cast_at timestamptz not null,
  version bigint,
  poll_no integer not null,
  voter_key uuid not null,
  retry_key uuid not null,
  ballot_id uuid not null,
  selections text not null,
  primary key (poll_no, voter_key, retry_key)
) partition by hash (voter_key);

create index ballot_history_by_id on ballot_history (ballot_id);

do $$
begin
  for part in 0..7 loop
    execute format('create table ballots_%s partition of ballots for values with (modulus 8, remainder %s)', part, part);
    execute format('create table ballot_history_%s partition of ballot_history for values with (modulus 8, remainder %s)', part, part);
  end loop;
end $$;

-- The number of the last batch that each slot has recorded: a reader of the tallies knows exactly which batches they hold.
create table slots (
  slot smallint primary key,
  batch_no bigint not null
);

-- Tallies, one row for each recording lane (slot), so that lanes never wait for each other's row.
-- The tally is the sum over slots. ballots and changes stand on the row of a ballot's first selection
-- (option_no 0 for a blank ballot): their sums over options are the counted ballots and the poll's version.
create table tallies (
  poll_no integer not null,
  option_no smallint not null,
  slot smallint not null,
  votes bigint not null,
  ballots bigint not null,
  changes bigint not null,
  primary key (poll_no, option_no, slot)
) with (fillfactor = 50);

-- Votes by the second of their cast_at, for the ten-minute window and for votes over time.
create table tally_seconds (
  second timestamptz not null,
  poll_no integer not null,
  option_no smallint not null,
  slot smallint not null,
  votes integer not null,
  primary key (poll_no, second, option_no, slot)
) with (fillfactor = 70);

create index tally_seconds_by_second on tally_seconds (second);
