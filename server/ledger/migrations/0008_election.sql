-- Up Migration

-- What a refused ballot had selected, where its sender is to be told so.
alter table ballot_refusals add column selections text;

-- The tables of the election as its contract has them, over the ledger. They have a schema of their own, because the duel has a view `votes`, too:
-- with `set search_path = election, public` they have the names of the contract. user_id is a key that stands for the user, not a name.
create schema election;

create type election.vote_processing_status as enum ('received', 'validating', 'processed', 'failed');

-- Somebody may have made a poll of this name whose options have other ids.
create function election.to_candidate_id(p_option_id text) returns uuid
language sql immutable
return case when p_option_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then p_option_id::uuid end;

create view election.candidates as
select
  election.to_candidate_id(options.id) as candidate_id,
  options.text as name,
  polls.created_at
from polls
join options on options.poll_no = polls.poll_no
where polls.slug = 'election';

create view election.users as
select
  ballots.voter_key as user_id,
  ballots.cast_at as voted_at
from polls
join ballots on ballots.poll_no = polls.poll_no
where polls.slug = 'election';

-- A vote without a row is on its way: received, or being validated. Of a refused one the user is not kept.
create view election.votes as
select
  ballots.ballot_id as vote_id,
  ballots.voter_key as user_id,
  election.to_candidate_id(options.id) as candidate_id,
  ballots.cast_at as timestamp,
  'processed'::election.vote_processing_status as processing_status,
  null::text as reason
from polls
join ballots on ballots.poll_no = polls.poll_no
left join options on options.poll_no = ballots.poll_no and options.option_no::text = ballots.selections
where polls.slug = 'election'
union all
select
  ballot_refusals.ballot_id,
  null,
  election.to_candidate_id(options.id),
  ballot_refusals.accepted_at,
  'failed',
  case ballot_refusals.reason when 'ballot_already_cast' then 'already_voted' else ballot_refusals.reason end
from polls
join ballot_refusals on ballot_refusals.poll_no = polls.poll_no
left join options on options.poll_no = ballot_refusals.poll_no and options.option_no::text = ballot_refusals.selections
where polls.slug = 'election';
