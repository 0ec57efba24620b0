import { expect, test } from 'vitest';
import { createAllowedMethods } from './allowed-methods.ts';

function createSample() {
  const allowed = createAllowedMethods();
  allowed.add('GET', '/');
  allowed.add(['GET', 'HEAD'], '/polls/:poll');
  allowed.add('PATCH', '/polls/:poll');
  allowed.add('POST', '/polls/:poll/ballots');
  allowed.add('POST', '/polls/:poll/ballots::batch');
  allowed.add('GET', '/docs/*');
  allowed.add('GET', '/a.b(c)');
  allowed.add('POST', '/vote/:poll_id');
  return allowed;
}

test.for([
  ['/', ['GET']],
  ['/polls/1', ['GET', 'HEAD', 'PATCH']],
  ['/polls/', []],
  ['/polls/1/2', []],
  ['/polls/1/ballots', ['POST']],
  ['/polls/1/ballots:batch', ['POST']],
  ['/polls/1/ballots:other', []],
  ['/docs/', ['GET']],
  ['/docs/static/index.css', ['GET']],
  ['/docs', []],
  ['/a.b(c)', ['GET']],
  ['/aXb(c)', []],
  ['/vote/100', ['POST']],
  ['', []],
] as const)('the path %j takes %j', ([path, methods]) => {
  expect(createSample().of(path)).toEqual(methods);
});
