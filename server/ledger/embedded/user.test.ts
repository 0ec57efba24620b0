import { describe, expect, test } from 'vitest';
import { pickServerUser } from './user.ts';

const accounts = [
  'root:x:0:0:root:/root:/bin/bash',
  'nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false',
  'anna:x:1000:1001:Anna:/home/anna:/bin/bash',
  '',
].join('\n');
const withPostgres = `${accounts}postgres:x:101:104::/var/lib/postgresql:/bin/bash\n`;

describe('the account that the server runs under when we are root', () => {
  test('is postgres for a new cluster', () => {
    expect(pickServerUser(withPostgres, undefined)).toEqual({ uid: 101, gid: 104 });
  });

  test('is nobody without a postgres, also where its number is written as a negative one', () => {
    const unsigned = 4_294_967_294;
    expect(pickServerUser(accounts, undefined)).toEqual({ uid: unsigned, gid: unsigned });
  });

  test('is the owner of an existing cluster, with the group of its account', () => {
    expect(pickServerUser(withPostgres, { uid: 1000, gid: 0 })).toEqual({ uid: 1000, gid: 1001 });
  });

  test('is an owner without an account too, but never in the group of root', () => {
    expect(pickServerUser(withPostgres, { uid: 5000, gid: 0 })).toEqual({ uid: 5000, gid: 5000 });
    expect(pickServerUser(withPostgres, { uid: 5000, gid: 7 })).toEqual({ uid: 5000, gid: 7 });
  });

  test('is not root when root owns the cluster', () => {
    expect(pickServerUser(withPostgres, { uid: 0, gid: 0 })).toEqual({ uid: 101, gid: 104 });
  });

  test('has to exist', () => {
    expect(() => pickServerUser('root:x:0:0:root:/root:/bin/sh\n', undefined)).toThrow('DATABASE_URL');
  });
});
