import { describe, expect, test } from 'vitest';
import { parseConfig, toPublicUrl, type Config } from './config.ts';

const configFrom = (argv: readonly string[]): Config => parseConfig({ argv, env: {} });

describe('toPublicUrl', () => {
  test('is the address that was set, without a slash at the end', () => {
    expect(toPublicUrl(configFrom(['--public-url', 'https://Vote.example.org/']), 1)).toBe('https://vote.example.org');
  });

  test.each([
    ['127.0.0.1', 'http://localhost:9000'],
    ['0.0.0.0', 'http://localhost:9000'],
    ['::', 'http://localhost:9000'],
    ['192.0.2.7', 'http://192.0.2.7:9000'],
    ['2001:db8::7', 'http://[2001:db8::7]:9000'],
    ['vote.example.org', 'http://vote.example.org:9000'],
  ])('on %s is %s', (host, url) => {
    expect(toPublicUrl(configFrom(['--host', host, '--port', '9000']))).toBe(url);
  });

  test('takes the port that the system chose', () => {
    expect(toPublicUrl(configFrom(['--port', '0']), 54_321)).toBe('http://localhost:54321');
  });
});
