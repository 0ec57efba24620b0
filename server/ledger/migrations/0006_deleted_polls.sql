-- Polls that were deleted, until their ballots are gone too: there may be millions, and nobody else should wait for that.

create table deleted_polls (
  poll_no integer primary key,
  deleted_at timestamptz not null default clock_timestamp()
);
