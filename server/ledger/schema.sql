-- Made by scripts/dump-schema.ts from the migrations. Do not edit.

create type ballot_verdict as (
  ordinal bigint,
  verdict text,
  cast_at timestamp with time zone,
  version bigint,
  ballot_id uuid,
  retry_key uuid,
  selections text
);

create type superseded_mark as (
  cast_at timestamp with time zone,
  selections text
);

create type tally_mark as (
  poll_no integer,
  selections text,
  second timestamp with time zone,
  ballots bigint,
  changes bigint
);

create table ballot_history (
  cast_at timestamp with time zone not null,
  version bigint,
  poll_no integer not null,
  voter_key uuid not null,
  retry_key uuid not null,
  ballot_id uuid not null,
  selections text not null,
  constraint ballot_history_pkey PRIMARY KEY (poll_no, voter_key, retry_key)
) partition by HASH (voter_key);

create table ballot_history_0 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 0);

create table ballot_history_1 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 1);

create table ballot_history_2 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 2);

create table ballot_history_3 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 3);

create table ballot_history_4 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 4);

create table ballot_history_5 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 5);

create table ballot_history_6 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 6);

create table ballot_history_7 partition of ballot_history FOR VALUES WITH (modulus 8, remainder 7);

create table ballots (
  cast_at timestamp with time zone not null,
  version bigint,
  poll_no integer not null,
  voter_key uuid not null,
  ballot_id uuid not null,
  retry_key uuid,
  selections text not null,
  superseded superseded_mark,
  constraint ballots_pkey PRIMARY KEY (poll_no, voter_key)
) partition by HASH (voter_key);

create table ballots_0 partition of ballots FOR VALUES WITH (modulus 8, remainder 0);

create table ballots_1 partition of ballots FOR VALUES WITH (modulus 8, remainder 1);

create table ballots_2 partition of ballots FOR VALUES WITH (modulus 8, remainder 2);

create table ballots_3 partition of ballots FOR VALUES WITH (modulus 8, remainder 3);

create table ballots_4 partition of ballots FOR VALUES WITH (modulus 8, remainder 4);

create table ballots_5 partition of ballots FOR VALUES WITH (modulus 8, remainder 5);

create table ballots_6 partition of ballots FOR VALUES WITH (modulus 8, remainder 6);

create table ballots_7 partition of ballots FOR VALUES WITH (modulus 8, remainder 7);

create table deleted_polls (
  poll_no integer not null,
  deleted_at timestamp with time zone not null default clock_timestamp(),
  constraint deleted_polls_pkey PRIMARY KEY (poll_no)
);

create table options (
  poll_no integer not null,
  option_no smallint not null,
  id text not null,
  text text not null,
  description text,
  constraint options_poll_no_id_key UNIQUE (poll_no, id),
  constraint options_pkey PRIMARY KEY (poll_no, option_no),
  constraint options_poll_no_fkey FOREIGN KEY (poll_no) REFERENCES polls(poll_no) ON DELETE CASCADE,
  constraint options_option_no_check CHECK (((option_no >= 1) AND (option_no <= 1000)))
);

create table poll_events (
  event_no bigint not null generated always as identity,
  poll_no integer not null,
  at timestamp with time zone not null default clock_timestamp(),
  event text not null,
  detail jsonb not null default '{}'::jsonb,
  constraint poll_events_pkey PRIMARY KEY (event_no),
  constraint poll_events_poll_no_fkey FOREIGN KEY (poll_no) REFERENCES polls(poll_no) ON DELETE CASCADE
);

create table polls (
  poll_no integer not null generated always as identity,
  id uuid not null,
  slug text not null,
  join_code text not null,
  question text not null,
  description text,
  electorate text not null,
  electorate_size integer,
  revote text not null,
  visibility text not null,
  selections_min smallint not null,
  selections_max smallint not null,
  listed boolean not null,
  opens_at timestamp with time zone,
  closes_at timestamp with time zone,
  paused_at timestamp with time zone,
  manage_key_hash bytea not null,
  revision integer not null default 1,
  ballot_form integer not null default 1,
  created_at timestamp with time zone not null default date_trunc('milliseconds'::text, clock_timestamp()),
  layout text not null default 'ballot'::text,
  color text,
  embed_parents text[] not null default '{}'::text[],
  logo bytea,
  logo_type text,
  constraint polls_id_key UNIQUE (id),
  constraint polls_join_code_key UNIQUE (join_code),
  constraint polls_slug_key UNIQUE (slug),
  constraint polls_pkey PRIMARY KEY (poll_no),
  constraint polls_check CHECK ((selections_min <= selections_max)),
  constraint polls_check1 CHECK ((closes_at >= opens_at)),
  constraint polls_color_check CHECK ((color ~ '^#[0-9a-f]{6}$'::text)),
  constraint polls_electorate_check CHECK ((electorate = ANY (ARRAY['open'::text, 'cookie'::text, 'declared'::text, 'code'::text, 'token'::text]))),
  constraint polls_electorate_size_check CHECK ((electorate_size > 0)),
  constraint polls_layout_check CHECK ((layout = ANY (ARRAY['ballot'::text, 'board'::text]))),
  constraint polls_logo_check CHECK ((octet_length(logo) <= 65536)),
  constraint polls_logo_has_type CHECK (((logo IS NULL) = (logo_type IS NULL))),
  constraint polls_revote_check CHECK ((revote = ANY (ARRAY['refuse'::text, 'replace'::text]))),
  constraint polls_selections_max_check CHECK ((selections_max >= 1)),
  constraint polls_selections_min_check CHECK ((selections_min >= 0)),
  constraint polls_visibility_check CHECK ((visibility = ANY (ARRAY['always'::text, 'after_vote'::text, 'after_close'::text, 'manager'::text])))
);

create table secrets (
  name text not null,
  value bytea not null,
  constraint secrets_pkey PRIMARY KEY (name)
);

create table slots (
  slot smallint not null,
  batch_no bigint not null,
  constraint slots_pkey PRIMARY KEY (slot)
);

create table tallies (
  poll_no integer not null,
  option_no smallint not null,
  slot smallint not null,
  votes bigint not null,
  ballots bigint not null,
  changes bigint not null,
  constraint tallies_pkey PRIMARY KEY (poll_no, option_no, slot)
) with (fillfactor=50);

create table tally_seconds (
  second timestamp with time zone not null,
  poll_no integer not null,
  option_no smallint not null,
  slot smallint not null,
  votes integer not null,
  constraint tally_seconds_pkey PRIMARY KEY (poll_no, second, option_no, slot)
) with (fillfactor=70);

CREATE INDEX ballot_history_by_id ON ONLY public.ballot_history USING btree (ballot_id);

CREATE INDEX ballots_by_id ON ONLY public.ballots USING btree (ballot_id);

CREATE INDEX poll_events_by_poll ON public.poll_events USING btree (poll_no, event_no);

CREATE INDEX polls_by_creation ON public.polls USING btree (created_at DESC, poll_no DESC);

CREATE INDEX tally_seconds_by_second ON public.tally_seconds USING btree (second);

CREATE OR REPLACE FUNCTION public.add_to_tallies(p_slot smallint, p_marks tally_mark[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.lock_schedules()
 RETURNS void
 LANGUAGE sql
AS $function$select pg_advisory_xact_lock(1215460180, 1)$function$;

CREATE OR REPLACE FUNCTION public.lock_schedules_shared()
 RETURNS void
 LANGUAGE sql
AS $function$select pg_advisory_xact_lock_shared(1215460180, 1)$function$;

CREATE OR REPLACE FUNCTION public.next_batch_no(p_slot smallint)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  v_batch_no bigint;
begin
  insert into slots (slot, batch_no)
  values (p_slot, 1)
  on conflict (slot) do update
  set batch_no = slots.batch_no + 1
  returning batch_no into v_batch_no;
  return v_batch_no;
end $function$;

CREATE OR REPLACE FUNCTION public.poll_takes_ballots(poll polls, at timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
RETURN (COALESCE(((poll).opens_at <= at), false) AND ((poll).paused_at IS NULL) AND (((poll).closes_at IS NULL) OR (at < (poll).closes_at)));

CREATE OR REPLACE FUNCTION public.polls_refusing(p_polls integer[], p_forms integer[], p_at timestamp with time zone)
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  return (
    select array_agg(wanted.poll_no)
    from (select distinct given.poll_no, given.form from unnest(p_polls, p_forms) as given (poll_no, form)) as wanted
    left join polls on polls.poll_no = wanted.poll_no
    where polls.poll_no is null
      or polls.ballot_form <> wanted.form
      or not poll_takes_ballots(polls, p_at)
  );
end $function$;

CREATE OR REPLACE FUNCTION public.record_ballots(p_slot smallint, p_polls integer[], p_forms integer[], p_voters uuid[], p_ballots uuid[], p_retry_keys uuid[], p_versions bigint[], p_selections text[])
 RETURNS SETOF ballot_verdict
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.record_changeable_ballots(p_slot smallint, p_polls integer[], p_forms integer[], p_voters uuid[], p_ballots uuid[], p_retry_keys uuid[], p_versions bigint[], p_selections text[])
 RETURNS SETOF ballot_verdict
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.tell_poll_news()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'DELETE' then
    perform pg_notify('hustings_polls', old.poll_no || ' deleted');
  else
    perform pg_notify('hustings_polls', new.poll_no || ' ' || new.revision);
  end if;
  return null;
end
$function$;

create view votes as
 SELECT ballots.ballot_id AS id,
    ballots.voter_key AS voter_id,
    options.id AS vote,
    ballots.cast_at AS created_at
   FROM polls
     JOIN ballots ON ballots.poll_no = polls.poll_no
     JOIN options ON options.poll_no = ballots.poll_no AND (options.option_no::text = ANY (string_to_array(ballots.selections, ','::text)))
  WHERE polls.slug = 'duel'::text;
