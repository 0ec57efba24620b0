-- Every server hears of a poll that was made, changed or deleted in the moment when that takes effect.

create function tell_poll_news() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'DELETE' then
    perform pg_notify('hustings_polls', old.poll_no || ' deleted');
  else
    perform pg_notify('hustings_polls', new.poll_no || ' ' || new.revision);
  end if;
  return null;
end
$$;

create trigger polls_tell_news
after insert or update or delete on polls
for each row
execute function tell_poll_news();
