-- Ballots that come out of an ingest log: accepted at one moment, recorded later, perhaps more than once, in any order.

-- accepted_us: when the ballot was accepted, in microseconds since 1970 by the ledger's clock as the accepting process knew it;
-- null where a ballot counts at the moment of its recording. It decides whether the ballot was in time and which of a voter's is the last.
alter table ballots add column accepted_us bigint;
alter table ballot_history add column accepted_us bigint;

-- Accepted ballots that were refused when they were recorded, so that their senders can be told.
create table ballot_refusals (
  ballot_id uuid primary key,
  poll_no integer not null,
  reason text not null,
  accepted_at timestamptz not null,
  refused_at timestamptz not null default clock_timestamp()
);

create index ballot_refusals_by_poll on ballot_refusals (poll_no);

-- The processes that append to the log. Every ballot that such a process accepted before settled_through has its outcome.
create table log_nodes (
  node_id uuid primary key,
  settled_through timestamptz not null,
  seen_at timestamptz not null default clock_timestamp()
);

-- The segments whose ballots all have their outcome, until their node has taken note of it.
create table log_segments (
  node_id uuid not null references log_nodes on delete cascade,
  segment_no bigint not null,
  primary key (node_id, segment_no)
);

drop function record_ballots(smallint, integer[], integer[], uuid[], uuid[], uuid[], bigint[], text[]);
drop function record_changeable_ballots(smallint, integer[], integer[], uuid[], uuid[], uuid[], bigint[], text[]);
drop function polls_refusing(integer[], integer[], timestamptz);

-- Made of immutable functions only, so that PostgreSQL takes it into the statement: a call for each ballot takes a fifth of the batch's time.
create function to_cast_at(p_accepted_us bigint) returns timestamptz
language sql immutable
return to_timestamp((p_accepted_us / 1000)::double precision / 1000);

-- May this poll take a ballot that was accepted at this moment?
create or replace function poll_takes_ballots(poll polls, at timestamptz) returns boolean
language sql immutable
return coalesce(poll.opens_at <= at, false)
  and (poll.paused_at is null or at < poll.paused_at)
  and (poll.closes_at is null or at < poll.closes_at);

-- The polls among these that do not take all of these ballots: because of their schedule, because their ballot form has changed, or because
-- they do not exist; null if there are none. What a poll takes at two moments it takes at all between them.
create function polls_in_doubt(p_polls integer[], p_forms integer[], p_accepted bigint[], p_now timestamptz) returns integer[]
language plpgsql stable
as $$
begin
  return (
    select array_agg(wanted.poll_no)
    from (
      select
        given.poll_no,
        given.form,
        coalesce(to_cast_at(min(given.accepted_us)), p_now) as first_at,
        coalesce(to_cast_at(max(given.accepted_us)), p_now) as last_at
      from unnest(p_polls, p_forms, p_accepted) as given (poll_no, form, accepted_us)
      group by given.poll_no, given.form
    ) as wanted
    left join polls on polls.poll_no = wanted.poll_no
    where polls.poll_no is null
      or polls.ballot_form <> wanted.form
      or not poll_takes_ballots(polls, wanted.first_at)
      or not poll_takes_ballots(polls, wanted.last_at)
  );
end $$;

-- For one ballot of a poll in doubt. One that counts when it is recorded shares the doubt, and is refused.
create function ballot_was_in_time(p_poll integer, p_form integer, p_accepted_us bigint) returns boolean
language plpgsql stable
as $$
begin
  return p_accepted_us is not null and exists (
    select
    from polls
    where poll_no = p_poll and ballot_form = p_form and poll_takes_ballots(polls, to_cast_at(p_accepted_us))
  );
end $$;

-- When a ballot was accepted, in microseconds. Where it is not said, the id tells: UUID version 7 with the millisecond and its 4096ths.
create function acceptance_of(p_ballot_id uuid, p_accepted_us bigint) returns bigint
language sql immutable
return coalesce(
  p_accepted_us,
  ('x' || substr(replace(p_ballot_id::text, '-', ''), 1, 12))::bit(48)::bigint * 1000
    + ceil(('x' || substr(p_ballot_id::text, 16, 3))::bit(12)::integer * 1000 / 4096.0)::bigint
);

-- Records one batch of ballots of polls with revote = refuse, and its tallies, in one transaction.
-- The arrays run in parallel, one element a ballot, sorted by (poll, voter); no ballot comes twice. p_accepted holds the microseconds at
-- which ballots out of an ingest log were accepted; it is null for ballots that count when they are recorded.
create function record_ballots(
  p_slot smallint,
  p_polls integer[],
  p_forms integer[],
  p_voters uuid[],
  p_ballots uuid[],
  p_retry_keys uuid[],
  p_versions bigint[],
  p_selections text[],
  p_accepted bigint[]
) returns setof ballot_verdict
language plpgsql
as $$
declare
  v_now timestamptz;
  v_doubtful integer[];
  v_marks tally_mark[];
  v_recorded bigint;
begin
  perform lock_schedules_shared();
  v_now := date_trunc('milliseconds', clock_timestamp());
  v_doubtful := polls_in_doubt(p_polls, p_forms, p_accepted, v_now);

  with recorded as (
    insert into ballots (cast_at, version, poll_no, voter_key, ballot_id, retry_key, selections, accepted_us)
    select
      coalesce(to_cast_at(given.accepted_us), v_now),
      given.version,
      given.poll_no,
      given.voter_key,
      given.ballot_id,
      given.retry_key,
      given.selections,
      given.accepted_us
    from unnest(p_polls, p_forms, p_voters, p_ballots, p_retry_keys, p_versions, p_selections, p_accepted)
      as given (poll_no, form, voter_key, ballot_id, retry_key, version, selections, accepted_us)
    where v_doubtful is null
      or given.poll_no <> all (v_doubtful)
      or ballot_was_in_time(given.poll_no, given.form, given.accepted_us)
    on conflict do nothing
    returning poll_no, selections, cast_at
  ), marks as (
    select poll_no, selections, cast_at, count(*) as ballots
    from recorded
    group by poll_no, selections, cast_at
  )
  select
    array_agg(row(poll_no, selections, date_trunc('second', cast_at), ballots, ballots)::tally_mark),
    coalesce(sum(ballots), 0)
  into v_marks, v_recorded
  from marks;

  perform add_to_tallies(p_slot, v_marks);
  return next row(0, 'batch', v_now, next_batch_no(p_slot), null, null, null)::ballot_verdict;

  if v_recorded < cardinality(p_polls) then
    return query
    select
      given.ordinal,
      case when stands.ballot_id is null then 'not_taken' else 'stands' end,
      stands.cast_at,
      stands.version,
      stands.ballot_id,
      stands.retry_key,
      stands.selections
    from unnest(p_polls, p_voters, p_ballots) with ordinality as given (poll_no, voter_key, ballot_id, ordinal)
    left join ballots as stands on stands.poll_no = given.poll_no and stands.voter_key = given.voter_key
    where stands.ballot_id is distinct from given.ballot_id or stands.xmin <> pg_current_xact_id()::xid;
  end if;
end $$;

-- A retry may be recorded before the ballot that it repeats, which was accepted earlier. When that comes, too, the ballot takes the earlier place,
-- and which ballot of its voter counts is decided anew. Answers the ballots that were moved; null, as nearly always, where there are none.
create function move_ballots_back(
  p_slot smallint,
  p_polls integer[],
  p_forms integer[],
  p_voters uuid[],
  p_ballots uuid[],
  p_retry_keys uuid[],
  p_accepted bigint[],
  p_doubtful integer[]
) returns uuid[]
language plpgsql
as $$
declare
  v_polls integer[];
  v_voters uuid[];
  v_ballots uuid[];
  v_marks tally_mark[];
begin
  with moved as (
    update ballot_history as stored
    set accepted_us = given.accepted_us,
      cast_at = to_cast_at(given.accepted_us)
    from unnest(p_polls, p_forms, p_voters, p_ballots, p_retry_keys, p_accepted)
      as given (poll_no, form, voter_key, ballot_id, retry_key, accepted_us)
    where stored.poll_no = given.poll_no
      and stored.voter_key = given.voter_key
      and stored.retry_key = given.retry_key
      and stored.ballot_id = given.ballot_id
      and stored.accepted_us > given.accepted_us
      and (
        p_doubtful is null
        or given.poll_no <> all (p_doubtful)
        or ballot_was_in_time(given.poll_no, given.form, given.accepted_us)
      )
    returning stored.poll_no, stored.voter_key, stored.ballot_id
  )
  select array_agg(poll_no), array_agg(voter_key), array_agg(ballot_id)
  into v_polls, v_voters, v_ballots
  from moved;
  if v_ballots is null then
    return null;
  end if;

  -- Whoever records another ballot of these voters now waits, or is waited for and then seen.
  perform
  from ballots
  join unnest(v_polls, v_voters) as moved (poll_no, voter_key) using (poll_no, voter_key)
  order by poll_no, voter_key
  for update of ballots;

  with last as (
    select distinct on (poll_no, voter_key) history.*
    from ballot_history as history
    join unnest(v_polls, v_voters) as moved (poll_no, voter_key) using (poll_no, voter_key)
    order by poll_no, voter_key, acceptance_of(history.ballot_id, history.accepted_us) desc, history.ballot_id desc
  ), former as (
    select ballots.poll_no, ballots.voter_key, ballots.cast_at, ballots.selections
    from ballots
    join last on last.poll_no = ballots.poll_no and last.voter_key = ballots.voter_key
  ), counted as (
    update ballots as standing
    set cast_at = last.cast_at,
      version = last.version,
      ballot_id = last.ballot_id,
      retry_key = nullif(last.retry_key, last.ballot_id),
      selections = last.selections,
      accepted_us = last.accepted_us,
      superseded = null
    from last
    where standing.poll_no = last.poll_no
      and standing.voter_key = last.voter_key
      and (standing.ballot_id, standing.accepted_us) is distinct from (last.ballot_id, last.accepted_us)
    returning standing.poll_no, standing.voter_key, standing.cast_at, standing.selections
  ), marks as (
    select poll_no, selections, cast_at, 1 as ballots, 1 as changes
    from counted
    union all
    select former.poll_no, former.selections, former.cast_at, -1, 0
    from former
    join counted on counted.poll_no = former.poll_no and counted.voter_key = former.voter_key
  ), summed as (
    select poll_no, selections, date_trunc('second', cast_at) as second, sum(ballots) as ballots, sum(changes) as changes
    from marks
    group by 1, 2, 3
  )
  select array_agg(row(poll_no, selections, second, ballots, changes)::tally_mark)
  into v_marks
  from summed;

  if v_marks is not null then
    perform add_to_tallies(p_slot, v_marks);
    -- A number that nobody is told of: whoever misses it reads the sums anew.
    perform next_batch_no(p_slot);
  end if;
  return v_ballots;
end $$;

-- Records one batch of ballots of polls with revote = replace: a voter's latest accepted ballot counts.
-- No two ballots of a batch may share poll and voter. The history's key decides what is new and what a retry.
create function record_changeable_ballots(
  p_slot smallint,
  p_polls integer[],
  p_forms integer[],
  p_voters uuid[],
  p_ballots uuid[],
  p_retry_keys uuid[],
  p_versions bigint[],
  p_selections text[],
  p_accepted bigint[]
) returns setof ballot_verdict
language plpgsql
as $$
declare
  v_now timestamptz;
  v_doubtful integer[];
  v_marks tally_mark[];
  v_verdicts ballot_verdict[];
  v_recorded bigint;
  v_moved uuid[];
begin
  perform lock_schedules_shared();
  v_now := date_trunc('milliseconds', clock_timestamp());
  v_doubtful := polls_in_doubt(p_polls, p_forms, p_accepted, v_now);

  with given as (
    select *
    from (
      select *, coalesce(to_cast_at(accepted_us), v_now) as cast_at
      from unnest(p_polls, p_forms, p_voters, p_ballots, p_retry_keys, p_versions, p_selections, p_accepted)
        with ordinality as given (poll_no, form, voter_key, ballot_id, retry_key, version, selections, accepted_us, ordinal)
    ) as given
    where v_doubtful is null
      or poll_no <> all (v_doubtful)
      or ballot_was_in_time(poll_no, form, accepted_us)
  ), accepted as (
    insert into ballot_history (cast_at, version, poll_no, voter_key, retry_key, ballot_id, selections, accepted_us)
    select cast_at, version, poll_no, voter_key, coalesce(retry_key, ballot_id), ballot_id, selections, accepted_us
    from given
    on conflict do nothing
    returning ballot_id
  ), counted as (
    insert into ballots as standing (cast_at, version, poll_no, voter_key, ballot_id, retry_key, selections, accepted_us)
    select
      given.cast_at,
      given.version,
      given.poll_no,
      given.voter_key,
      given.ballot_id,
      given.retry_key,
      given.selections,
      given.accepted_us
    from given
    join accepted on accepted.ballot_id = given.ballot_id
    order by given.ordinal
    on conflict (poll_no, voter_key) do update
    set cast_at = excluded.cast_at,
      version = excluded.version,
      ballot_id = excluded.ballot_id,
      retry_key = excluded.retry_key,
      selections = excluded.selections,
      accepted_us = excluded.accepted_us,
      superseded = row(standing.cast_at, standing.selections)::superseded_mark
    where (acceptance_of(excluded.ballot_id, excluded.accepted_us), excluded.ballot_id)
      > (acceptance_of(standing.ballot_id, standing.accepted_us), standing.ballot_id)
    returning ballot_id, poll_no, selections, cast_at, superseded
  ), marks as (
    select poll_no, selections, cast_at, 1 as ballots, 1 as changes
    from counted
    union all
    select poll_no, (superseded).selections, (superseded).cast_at, -1, 0
    from counted
    where superseded is not null
  ), summed as (
    select poll_no, selections, date_trunc('second', cast_at) as second, sum(ballots) as ballots, sum(changes) as changes
    from marks
    group by 1, 2, 3
  )
  select
    (select array_agg(row(poll_no, selections, second, ballots, changes)::tally_mark) from summed),
    array_agg(
      row(
        given.ordinal,
        case when counted.ballot_id is null then 'overtaken' else 'supersedes' end,
        (counted.superseded).cast_at,
        null,
        null,
        null,
        (counted.superseded).selections
      )::ballot_verdict
    ) filter (where counted.ballot_id is null or counted.superseded is not null),
    count(*)
  into v_marks, v_verdicts, v_recorded
  from given
  join accepted on accepted.ballot_id = given.ballot_id
  left join counted on counted.ballot_id = given.ballot_id;

  perform add_to_tallies(p_slot, v_marks);
  if v_recorded < cardinality(p_polls) then
    v_moved := move_ballots_back(p_slot, p_polls, p_forms, p_voters, p_ballots, p_retry_keys, p_accepted, v_doubtful);
  end if;
  return next row(0, 'batch', v_now, next_batch_no(p_slot), null, null, null)::ballot_verdict;
  return query select * from unnest(v_verdicts);

  return query
  select
    given.ordinal,
    case when stands.ballot_id is null then 'not_taken' else 'stands' end,
    stands.cast_at,
    stands.version,
    stands.ballot_id,
    stands.retry_key,
    stands.selections
  from unnest(p_polls, p_voters, p_ballots, p_retry_keys) with ordinality
    as given (poll_no, voter_key, ballot_id, retry_key, ordinal)
  left join ballot_history as stands
    on stands.poll_no = given.poll_no
    and stands.voter_key = given.voter_key
    and stands.retry_key = coalesce(given.retry_key, given.ballot_id)
  where stands.ballot_id is distinct from given.ballot_id
    or stands.xmin <> pg_current_xact_id()::xid
    or stands.ballot_id = any (v_moved);
end $$;
