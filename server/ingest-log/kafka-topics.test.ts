import { expect, test } from 'vitest';
import { findFault } from './kafka-topics.ts';

const safe = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'max.message.bytes': '1048588',
  'unclean.leader.election.enable': 'false',
  'min.insync.replicas': '2',
  'flush.messages': '9223372036854775807',
};

function faultOf(changes: Partial<typeof safe>, replicas: number): string | null {
  return findFault(new Map(Object.entries({ ...safe, ...changes })), replicas)?.setting ?? null;
}

test('a topic with replicas is safe when two of them acknowledge', () => {
  expect(faultOf({}, 3)).toBeNull();
  expect(faultOf({}, 2)).toBeNull();
  expect(faultOf({ 'min.insync.replicas': '1' }, 3)).toBe('min.insync.replicas');
  expect(faultOf({ 'min.insync.replicas': '1' }, 2)).toBe('min.insync.replicas');
});

test('a topic with one replica is safe when each record is flushed', () => {
  expect(faultOf({ 'flush.messages': '1', 'min.insync.replicas': '1' }, 1)).toBeNull();
  expect(faultOf({ 'min.insync.replicas': '1' }, 1)).toBe('flush.messages');
});

test.for([
  ['unclean.leader.election.enable', 'true'],
  ['retention.ms', '604800000'],
  ['retention.bytes', '1000000'],
  ['cleanup.policy', 'compact,delete'],
  ['max.message.bytes', '100000'],
] as const)('%s = %s is refused', ([setting, value]) => {
  expect(faultOf({ [setting]: value }, 3)).toBe(setting);
});

test('a setting that the broker does not tell is refused', () => {
  expect(findFault(new Map(), 3)?.setting).toBe('min.insync.replicas');
});
