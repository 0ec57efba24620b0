-- Up Migration

-- Polls that nobody creates: the first vote for an id makes the poll, and this is that id as it was sent. null: somebody made the poll.
alter table polls add column made_as text unique check (char_length(made_as) between 1 and 128);

-- One server at a time makes polls and options for votes, so their numbers and their limits need no second look.
create function lock_polls_by_vote() returns void
language sql
as $$ select pg_advisory_xact_lock(1215460180, 2) $$;
