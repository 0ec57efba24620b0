-- What the pages of a poll need: how its options are laid out, its look, and which sites may show it in a frame.

alter table polls
  add column layout text not null default 'ballot' check (layout in ('ballot', 'board')),
  add column color text check (color ~ '^#[0-9a-f]{6}$'),
  add column embed_parents text[] not null default '{}',
  add column logo bytea check (octet_length(logo) <= 65536),
  add column logo_type text,
  add constraint polls_logo_has_type check ((logo is null) = (logo_type is null));

-- The sample board was made before boards had a layout of their own.
update polls
set layout = 'board'
where slug = 'features' and electorate = 'open';
