import { describe, expect, test } from 'vitest';
import {
  boolean,
  choice,
  count,
  duration,
  host,
  looseBoolean,
  origins,
  path,
  pathPrefix,
  postgresUrl,
  redisUrl,
  shortTexts,
  trustedProxies,
} from './setting-kinds.ts';

describe('what a kind of setting takes', () => {
  test('a count is written in plain digits', () => {
    const kind = count({ unit: 'lanes', min: 0, max: 1_000 });
    expect(['0', '7', '1000'].map((text) => kind.parse(text))).toEqual([0, 7, 1_000]);
    for (const text of ['', ' 7', '7 ', '+7', '-0', '07', '7.0', '1e2', '0x7', '1_000', '٧']) {
      expect(kind.parse(text), text).toBeUndefined();
    }
  });

  test('a host has no port, no scheme and no path', () => {
    for (const text of ['localhost', '0.0.0.0', '::', 'fe80::1%eth0', 'my_host', 'a.example.org.']) {
      expect(host.parse(text), text).toBe(text);
    }
    for (const text of ['', 'a:80', '[::1]', 'http://a', 'a/b', 'a..b', '-a', 'a b', 'a\nb']) {
      expect(host.parse(text), text).toBeUndefined();
    }
  });

  test('origins are listed with commas, or all of them are meant', () => {
    expect(origins.parse('*')).toBe('*');
    expect(origins.parse('https://A.org:443, http://b.org:81/')).toEqual(['https://a.org', 'http://b.org:81']);
    for (const text of ['', '*,https://a.org', 'a.org', 'null', 'https://a.org/x', 'ftp://a.org']) {
      expect(origins.parse(text), text).toBeUndefined();
    }
  });

  test('proxies are named by address and range, and nobody can mean everybody', () => {
    expect(trustedProxies.parse('loopback, 10.1.0.0/16 ,fd00::/8')).toEqual(['loopback', '10.1.0.0/16', 'fd00::/8']);
    for (const text of ['', ',', 'loopback,', '*', 'true', '1', 'proxy', '10.0.0.0/8 private', '0.0.0.0/0', '::/0']) {
      expect(trustedProxies.parse(text), text).toBeUndefined();
    }
  });

  test('a beginning of paths has no slash at its end, and the root is empty', () => {
    expect(['/api/v1', '/api/v1/', '/v2.0', '/'].map((text) => pathPrefix.parse(text))).toEqual([
      '/api/v1',
      '/api/v1',
      '/v2.0',
      '',
    ]);
    for (const text of ['', 'api', '//', '/a b', '/a//b', '/:poll', '/*', '/é', '/a?b', `/${'a'.repeat(255)}`]) {
      expect(pathPrefix.parse(text), text).toBeUndefined();
    }
  });

  test('other programs write booleans in other ways', () => {
    for (const text of ['true', 'True', '1', 'YES', 'on']) expect(looseBoolean.parse(text), text).toBe(true);
    for (const text of ['false', 'False', '0', 'no', 'OFF']) expect(looseBoolean.parse(text), text).toBe(false);
    for (const text of ['', '*', '2', 'express:*']) expect(looseBoolean.parse(text), text).toBeUndefined();
  });

  test('a database may be reached over a socket', () => {
    expect(postgresUrl.parse('postgres:///votes?host=/run/postgresql')).toBeDefined();
    expect(postgresUrl.parse('postgres://app@%2Frun%2Fpostgresql/votes')).toBeDefined();
  });

  test('a password in the URL of a service is not shown', () => {
    expect(String(redisUrl.parse('rediss://app:hush@redis.example:6380/2'))).toBe(
      'rediss://app:***@redis.example:6380/2',
    );
    for (const text of ['localhost:6379', 'http://a', 'redis://app:a/b@c']) {
      expect(redisUrl.parse(text), text).toBeUndefined();
    }
  });

  test('a time is a number with its unit', () => {
    const kind = duration({ daysMax: 7 });
    expect(['90s', '15m', '1h', '7d'].map((text) => kind.parse(text))).toEqual([90, 900, 3_600, 604_800]);
    for (const text of ['', '1', '0s', '8d', '1.5h', '1H', '1h30m', '-1s', ' 1s']) {
      expect(kind.parse(text), text).toBeUndefined();
    }
  });

  test('texts in a list are different', () => {
    const kind = shortTexts({ min: 2, max: 3 });
    expect(kind.parse(' Ada, Grace ,Zoë')).toEqual(['Ada', 'Grace', 'Zoë']);
    for (const text of ['', 'Ada', 'Ada,', 'Ada,Ada', 'a,b,c,d', 'Zo\u00eb,Zoe\u0308', 'a,\u0000', 'a,\ud800']) {
      expect(kind.parse(text), text).toBeUndefined();
    }
  });

  test('a choice is one of its words, whatever names objects inherit', () => {
    const kind = choice(['strict', 'process']);
    expect(kind.parse('strict')).toBe('strict');
    for (const text of ['', 'Strict', 'constructor', '__proto__']) {
      expect(kind.parse(text), text).toBeUndefined();
    }
  });

  test('true and false are words, and a path is printable', () => {
    expect(['true', 'false', 'yes'].map((text) => boolean.parse(text))).toEqual([true, false, undefined]);
    expect(['./Données', '', 'a\0b'].map((text) => path.parse(text))).toEqual(['./Données', undefined, undefined]);
  });
});
