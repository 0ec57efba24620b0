-- Made by scripts/dump-schema.ts from the migrations. Do not edit.

create schema election;

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

create type election.vote_processing_status as enum ('received', 'validating', 'processed', 'failed');

create table ballot_history (
  cast_at timestamp with time zone not null,
  version bigint,
  poll_no integer not null,
  voter_key uuid not null,
  retry_key uuid not null,
  ballot_id uuid not null,
  selections text not null,
  accepted_us bigint,
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

create table ballot_refusals (
  ballot_id uuid not null,
  poll_no integer not null,
  reason text not null,
  accepted_at timestamp with time zone not null,
  refused_at timestamp with time zone not null default clock_timestamp(),
  selections text,
  constraint ballot_refusals_pkey PRIMARY KEY (ballot_id)
);

create table ballots (
  cast_at timestamp with time zone not null,
  version bigint,
  poll_no integer not null,
  voter_key uuid not null,
  ballot_id uuid not null,
  retry_key uuid,
  selections text not null,
  superseded superseded_mark,
  accepted_us bigint,
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

create table log_nodes (
  node_id uuid not null,
  settled_through timestamp with time zone not null,
  seen_at timestamp with time zone not null default clock_timestamp(),
  constraint log_nodes_pkey PRIMARY KEY (node_id)
);

create table log_segments (
  node_id uuid not null,
  segment_no bigint not null,
  constraint log_segments_pkey PRIMARY KEY (node_id, segment_no),
  constraint log_segments_node_id_fkey FOREIGN KEY (node_id) REFERENCES log_nodes(node_id) ON DELETE CASCADE
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
  made_as text,
  constraint polls_id_key UNIQUE (id),
  constraint polls_join_code_key UNIQUE (join_code),
  constraint polls_made_as_key UNIQUE (made_as),
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
  constraint polls_made_as_check CHECK (((char_length(made_as) >= 1) AND (char_length(made_as) <= 128))),
  constraint polls_revote_check CHECK ((revote = ANY (ARRAY['refuse'::text, 'replace'::text]))),
  constraint polls_selections_max_check CHECK ((selections_max >= 1)),
  constraint polls_selections_min_check CHECK ((selections_min >= 0)),
  constraint polls_visibility_check CHECK ((visibility = ANY (ARRAY['always'::text, 'after_vote'::text, 'after_close'::text, 'manager'::text])))
);

create table polls_by_vote (
  count integer not null,
  constraint polls_by_vote_count_check CHECK ((count >= 0))
);

create table ring (
  only_row boolean not null default true,
  generation integer not null,
  nodes text[] not null,
  virtual_nodes integer not null,
  label text not null,
  changed_at timestamp with time zone not null default clock_timestamp(),
  cluster_parts integer,
  constraint ring_pkey PRIMARY KEY (only_row),
  constraint ring_cluster_parts_check CHECK ((cluster_parts > 0)),
  constraint ring_only_row_check CHECK (only_row)
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

CREATE INDEX ballot_refusals_by_poll ON public.ballot_refusals USING btree (poll_no);

CREATE INDEX ballots_by_id ON ONLY public.ballots USING btree (ballot_id);

CREATE INDEX poll_events_by_poll ON public.poll_events USING btree (poll_no, event_no);

CREATE INDEX polls_by_creation ON public.polls USING btree (created_at DESC, poll_no DESC);

CREATE INDEX tally_seconds_by_second ON public.tally_seconds USING btree (second);

CREATE OR REPLACE FUNCTION public.acceptance_of(p_ballot_id uuid, p_accepted_us bigint)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
RETURN COALESCE(p_accepted_us, ((((('x'::text || substr(replace((p_ballot_id)::text, '-'::text, ''::text), 1, 12)))::bit(48))::bigint * 1000) + (ceil((((((('x'::text || substr((p_ballot_id)::text, 16, 3)))::bit(12))::integer * 1000))::numeric / 4096.0)))::bigint));

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

CREATE OR REPLACE FUNCTION public.ballot_was_in_time(p_poll integer, p_form integer, p_accepted_us bigint)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  return p_accepted_us is not null and exists (
    select
    from polls
    where poll_no = p_poll and ballot_form = p_form and poll_takes_ballots(polls, to_cast_at(p_accepted_us))
  );
end $function$;

CREATE OR REPLACE FUNCTION public.forget_poll_by_vote()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update polls_by_vote set count = count - 1;
  return null;
end
$function$;

CREATE OR REPLACE FUNCTION public.lock_polls_by_vote()
 RETURNS void
 LANGUAGE sql
AS $function$ select pg_advisory_xact_lock(1215460180, 2) $function$;

CREATE OR REPLACE FUNCTION public.lock_schedules()
 RETURNS void
 LANGUAGE sql
AS $function$select pg_advisory_xact_lock(1215460180, 1)$function$;

CREATE OR REPLACE FUNCTION public.lock_schedules_shared()
 RETURNS void
 LANGUAGE sql
AS $function$select pg_advisory_xact_lock_shared(1215460180, 1)$function$;

CREATE OR REPLACE FUNCTION public.move_ballots_back(p_slot smallint, p_polls integer[], p_forms integer[], p_voters uuid[], p_ballots uuid[], p_retry_keys uuid[], p_accepted bigint[], p_doubtful integer[])
 RETURNS uuid[]
 LANGUAGE plpgsql
AS $function$
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
end $function$;

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
RETURN (COALESCE(((poll).opens_at <= at), false) AND (((poll).paused_at IS NULL) OR (at < (poll).paused_at)) AND (((poll).closes_at IS NULL) OR (at < (poll).closes_at)));

CREATE OR REPLACE FUNCTION public.polls_in_doubt(p_polls integer[], p_forms integer[], p_accepted bigint[], p_now timestamp with time zone)
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.record_ballots(p_slot smallint, p_polls integer[], p_forms integer[], p_voters uuid[], p_ballots uuid[], p_retry_keys uuid[], p_versions bigint[], p_selections text[], p_accepted bigint[])
 RETURNS SETOF ballot_verdict
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.record_changeable_ballots(p_slot smallint, p_polls integer[], p_forms integer[], p_voters uuid[], p_ballots uuid[], p_retry_keys uuid[], p_versions bigint[], p_selections text[], p_accepted bigint[])
 RETURNS SETOF ballot_verdict
 LANGUAGE plpgsql
AS $function$
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

CREATE OR REPLACE FUNCTION public.to_cast_at(p_accepted_us bigint)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE
RETURN to_timestamp((((p_accepted_us / 1000))::double precision / (1000)::double precision));

CREATE OR REPLACE FUNCTION election.to_candidate_id(p_option_id text)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE
RETURN CASE WHEN (p_option_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'::text) THEN (p_option_id)::uuid ELSE NULL::uuid END;

create view votes as
 SELECT ballots.ballot_id AS id,
    ballots.voter_key AS voter_id,
    options.id AS vote,
    ballots.cast_at AS created_at
   FROM polls
     JOIN ballots ON ballots.poll_no = polls.poll_no
     JOIN options ON options.poll_no = ballots.poll_no AND (options.option_no::text = ANY (string_to_array(ballots.selections, ','::text)))
  WHERE polls.slug = 'duel'::text;

create view election.candidates as
 SELECT election.to_candidate_id(options.id) AS candidate_id,
    options.text AS name,
    polls.created_at
   FROM polls
     JOIN options ON options.poll_no = polls.poll_no
  WHERE polls.slug = 'election'::text;

create view election.users as
 SELECT ballots.voter_key AS user_id,
    ballots.cast_at AS voted_at
   FROM polls
     JOIN ballots ON ballots.poll_no = polls.poll_no
  WHERE polls.slug = 'election'::text;

create view election.votes as
 SELECT ballots.ballot_id AS vote_id,
    ballots.voter_key AS user_id,
    election.to_candidate_id(options.id) AS candidate_id,
    ballots.cast_at AS "timestamp",
    'processed'::election.vote_processing_status AS processing_status,
    NULL::text AS reason
   FROM polls
     JOIN ballots ON ballots.poll_no = polls.poll_no
     LEFT JOIN options ON options.poll_no = ballots.poll_no AND options.option_no::text = ballots.selections
  WHERE polls.slug = 'election'::text
UNION ALL
 SELECT ballot_refusals.ballot_id AS vote_id,
    NULL::uuid AS user_id,
    election.to_candidate_id(options.id) AS candidate_id,
    ballot_refusals.accepted_at AS "timestamp",
    'failed'::election.vote_processing_status AS processing_status,
        CASE ballot_refusals.reason
            WHEN 'ballot_already_cast'::text THEN 'already_voted'::text
            ELSE ballot_refusals.reason
        END AS reason
   FROM polls
     JOIN ballot_refusals ON ballot_refusals.poll_no = polls.poll_no
     LEFT JOIN options ON options.poll_no = ballot_refusals.poll_no AND options.option_no::text = ballot_refusals.selections
  WHERE polls.slug = 'election'::text;
