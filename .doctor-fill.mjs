import pg from 'pg';
const c = new pg.Client({ host: process.argv[2] + '/postgres', port: 5432, user: process.argv[3], database: 'hustings' });
await c.connect();
const n = 1000000;
await c.query(`set synchronous_commit=off`);
await c.query(`insert into ballots (cast_at, version, poll_no, voter_key, ballot_id, selections) select date_trunc('second', now()), g, 1, gen_random_uuid(), gen_random_uuid(), (1+g%5)::text from generate_series(1,${n}) g`);
await c.query(`insert into tallies (poll_no,option_no,slot,votes,ballots,changes) select 1,(1+g%5),5,count(*),count(*),count(*) from generate_series(1,${n}) g group by 2`);
await c.query(`insert into tally_seconds (second,poll_no,option_no,slot,votes) select now(),1,(1+g%5),5,count(*) from generate_series(1,${n}) g group by 3`);
await c.end();
