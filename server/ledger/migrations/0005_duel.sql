-- Up Migration

-- The votes of the duel as its contract has them: one row for each vote that counts. voter_id is a key that stands for the voter, not a name.
create view votes as
select
  ballots.ballot_id as id,
  ballots.voter_key as voter_id,
  options.id as vote,
  ballots.cast_at as created_at
from polls
join ballots on ballots.poll_no = polls.poll_no
join options
  on options.poll_no = ballots.poll_no
  and options.option_no::text = any (string_to_array(ballots.selections, ','))
where polls.slug = 'duel';
