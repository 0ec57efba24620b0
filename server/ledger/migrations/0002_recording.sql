-- Up Migration

-- The functions are in plpgsql where they run for every batch: it keeps their plans, and before PostgreSQL 18 an SQL function
-- is planned anew at each call.

-- May this poll take a ballot at this moment? The one place where the ledger's clock meets the schedule.
create function poll_takes_ballots(poll polls, at timestamptz) returns boolean
language sql immutable
return coalesce(poll.opens_at <= at, false)
  and poll.paused_at is null
  and (poll.closes_at is null or at < poll.closes_at);

-- The polls among these that take no such ballot at this moment: because of their schedule, because their ballot form has changed,
-- or because they do not exist; null if there are none.
create function polls_refusing(p_polls integer[], p_forms integer[], p_at timestamptz) returns integer[]
language plpgsql stable
as $$
begin
  return (
    select array_agg(wanted.poll_no)
    from (select distinct given.poll_no, given.form from unnest(p_polls, p_forms) as given (poll_no, form)) as wanted
    left join polls on polls.poll_no = wanted.poll_no
    where polls.poll_no is null
      or polls.ballot_form <> wanted.form
      or not poll_takes_ballots(polls, p_at)
  );
end $$;

-- Changes of a poll take this lock alone, recording takes it shared. So a batch that began before a close is
-- committed before the close takes effect, and one that begins later sees it: its snapshots are younger than the lock.
create function lock_schedules_shared() returns void
language sql volatile
as 'select pg_advisory_xact_lock_shared(1215460180, 1)';

create function lock_schedules() returns void
language sql volatile
as 'select pg_advisory_xact_lock(1215460180, 1)';

create function next_batch_no(p_slot smallint) returns bigint
language plpgsql volatile
as $$
declare
  v_batch_no bigint;
begin
  insert into slots (slot, batch_no)
  values (p_slot, 1)
  on conflict (slot) do update
  set batch_no = slots.batch_no + 1
  returning batch_no into v_batch_no;
  return v_batch_no;
end $$;

-- One line of a batch's sums: so many ballots with these selections, cast in this second, count (or, negative, no longer count).
create type tally_mark as (poll_no integer, selections text, second timestamptz, ballots bigint, changes bigint);

-- Adds the marks of one batch to the tallies and the seconds of its slot.
create function add_to_tallies(p_slot smallint, p_marks tally_mark[]) returns void
language plpgsql volatile
as $$
#variable_conflict use_column
begin
  with votes as (
    select
      mark.poll_no,
      mark.second,
      coalesce(selected.option_no::smallint, 0::smallint) as option_no,
      sum(case when selected.option_no is null then 0 else mark.ballots end) as votes,
      sum(case when coalesce(selected.place, 1) = 1 then mark.ballots else 0 end) as ballots,
      sum(case when coalesce(selected.place, 1) = 1 then mark.changes else 0 end) as changes
    from unnest(p_marks) as mark
    left join lateral unnest(string_to_array(mark.selections, ',')) with ordinality as selected (option_no, place) on true
    group by 1, 2, 3
  ), timed as (
    insert into tally_seconds (second, poll_no, option_no, slot, votes)
    select second, poll_no, option_no, p_slot, votes
    from votes
    where option_no > 0
    on conflict (poll_no, second, option_no, slot) do update
    set votes = tally_seconds.votes + excluded.votes
  )
  insert into tallies (poll_no, option_no, slot, votes, ballots, changes)
  select poll_no, option_no, p_slot, sum(votes), sum(ballots), sum(changes)
  from votes
  group by poll_no, option_no
  on conflict (poll_no, option_no, slot) do update
  set votes = tallies.votes + excluded.votes,
    ballots = tallies.ballots + excluded.ballots,
    changes = tallies.changes + excluded.changes;
end $$;

-- What became of one ballot of a batch. ordinal is its place in the batch, from 1; ordinal 0 tells of the batch itself.
--   batch       (ordinal 0) cast_at is the batch's time, version its number in the slot
--   stands      not recorded now, because this ballot stands there already: for this voter, or with this retry key
--   supersedes  recorded and counted in place of the one named here
--   overtaken   recorded, but a later accepted ballot of this voter counts
--   not_taken   refused: the poll took no such ballot at the batch's time
-- A ballot without a row was recorded and counted. The common batch answers with one row.
create type ballot_verdict as (
  ordinal bigint,
  verdict text,
  cast_at timestamptz,
  version bigint,
  ballot_id uuid,
  retry_key uuid,
  selections text
);

-- Records one batch of ballots of polls with revote = refuse, and its tallies, in one transaction.
-- The arrays run in parallel, one element a ballot, sorted by (poll, voter).
create function record_ballots(
  p_slot smallint,
  p_polls integer[],
  p_forms integer[],
  p_voters uuid[],
  p_ballots uuid[],
  p_retry_keys uuid[],
  p_versions bigint[],
  p_selections text[]
) returns setof ballot_verdict
language plpgsql
as $$
declare
  v_now timestamptz;
  v_refusing integer[];
  v_marks tally_mark[];
  v_recorded bigint;
begin
  perform lock_schedules_shared();
  v_now := date_trunc('milliseconds', clock_timestamp());
  v_refusing := polls_refusing(p_polls, p_forms, v_now);

  with recorded as (
    insert into ballots (cast_at, version, poll_no, voter_key, ballot_id, retry_key, selections)
    select v_now, given.version, given.poll_no, given.voter_key, given.ballot_id, given.retry_key, given.selections
    from unnest(p_polls, p_voters, p_ballots, p_retry_keys, p_versions, p_selections)
      as given (poll_no, voter_key, ballot_id, retry_key, version, selections)
    where v_refusing is null or given.poll_no <> all (v_refusing)
    on conflict do nothing
    returning poll_no, selections
  ), marks as (
    select poll_no, selections, count(*) as ballots
    from recorded
    group by poll_no, selections
  )
  select
    array_agg(row(poll_no, selections, date_trunc('second', v_now), ballots, ballots)::tally_mark),
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
    where stands.ballot_id is distinct from given.ballot_id or stands.cast_at <> v_now;
  end if;
end $$;

-- Records one batch of ballots of polls with revote = replace: a voter's latest accepted ballot counts, by the order of ballot ids.
-- No two ballots of a batch may share poll and voter. The history's key decides what is new and what a retry.
create function record_changeable_ballots(
  p_slot smallint,
  p_polls integer[],
  p_forms integer[],
  p_voters uuid[],
  p_ballots uuid[],
  p_retry_keys uuid[],
  p_versions bigint[],
  p_selections text[]
) returns setof ballot_verdict
language plpgsql
as $$
declare
  v_now timestamptz;
  v_refusing integer[];
  v_marks tally_mark[];
  v_verdicts ballot_verdict[];
begin
  perform lock_schedules_shared();
  v_now := date_trunc('milliseconds', clock_timestamp());
  v_refusing := polls_refusing(p_polls, p_forms, v_now);

  with given as (
    select *
    from unnest(p_polls, p_voters, p_ballots, p_retry_keys, p_versions, p_selections)
      with ordinality as given (poll_no, voter_key, ballot_id, retry_key, version, selections, ordinal)
    where v_refusing is null or given.poll_no <> all (v_refusing)
  ), accepted as (
    insert into ballot_history (cast_at, version, poll_no, voter_key, retry_key, ballot_id, selections)
    select v_now, version, poll_no, voter_key, coalesce(retry_key, ballot_id), ballot_id, selections
    from given
    on conflict do nothing
    returning ballot_id
  ), counted as (
    insert into ballots as standing (cast_at, version, poll_no, voter_key, ballot_id, retry_key, selections)
    select v_now, given.version, given.poll_no, given.voter_key, given.ballot_id, given.retry_key, given.selections
    from given
    join accepted on accepted.ballot_id = given.ballot_id
    order by given.ordinal
    on conflict (poll_no, voter_key) do update
    set cast_at = excluded.cast_at,
      version = excluded.version,
      ballot_id = excluded.ballot_id,
      retry_key = excluded.retry_key,
      selections = excluded.selections,
      superseded = row(standing.cast_at, standing.selections)::superseded_mark
    where excluded.ballot_id > standing.ballot_id
    returning ballot_id, poll_no, selections, superseded
  ), marks as (
    select poll_no, selections, v_now as cast_at, 1 as ballots, 1 as changes
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
    ) filter (where counted.ballot_id is null or counted.superseded is not null)
  into v_marks, v_verdicts
  from given
  join accepted on accepted.ballot_id = given.ballot_id
  left join counted on counted.ballot_id = given.ballot_id;

  perform add_to_tallies(p_slot, v_marks);
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
  where stands.ballot_id is distinct from given.ballot_id or stands.cast_at <> v_now;
end $$;
