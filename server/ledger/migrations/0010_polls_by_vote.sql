-- Up Migration

-- Polls that nobody creates: the first vote for an id makes the poll, and this is that id as it was sent. null: somebody made the poll.
alter table polls add column made_as text unique check (char_length(made_as) between 1 and 128);

-- How many such polls there are, because counting a hundred thousand of them would take longer than making one. One row.
create table polls_by_vote (
  count integer not null check (count >= 0)
);

insert into polls_by_vote (count) values (0);

create function forget_poll_by_vote() returns trigger
language plpgsql
as $$
begin
  update polls_by_vote set count = count - 1;
  return null;
end
$$;

create trigger polls_by_vote_forget
after delete on polls
for each row
when (old.made_as is not null)
execute function forget_poll_by_vote();

-- One server at a time makes polls and options for votes, so their numbers and their limits need no second look.
create function lock_polls_by_vote() returns void
language sql
as $$ select pg_advisory_xact_lock(1215460180, 2) $$;
