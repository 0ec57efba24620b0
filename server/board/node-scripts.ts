/** The steps that change a node, as scripts: Redis runs each as a whole or not at all. All keys are given, so that a cluster can tell their slot. */

/** How long the lock of whoever fills a node lasts without being kept. */
export const lockMs = 5_000;

/** What the fields of the position begin with that belong to a slot. */
export const slotPrefix = 'slot:';
export const wantedPrefix = 'wanted:';

/** KEYS: position, hashes. ARGV: epoch, generation, how many slots, (slot, from, to)…, then for each hash how many fields, (field, votes)… Answers 1 if it was done. */
export const flushScript = `
local board = KEYS[1]
if redis.call('hget', board, 'epoch') ~= ARGV[1] or redis.call('hget', board, 'ring') ~= ARGV[2] then return 0 end
local last = 3 + 3 * tonumber(ARGV[3])
for at = 4, last, 3 do
  if (redis.call('hget', board, '${slotPrefix}' .. ARGV[at]) or '0') ~= ARGV[at + 1] then return 0 end
end
local at = last + 1
for index = 2, #KEYS do
  for _ = 1, tonumber(ARGV[at]) do
    local done = redis.pcall('hincrby', KEYS[index], ARGV[at + 1], ARGV[at + 2])
    if type(done) == 'table' then
      redis.call('del', board)
      return done
    end
    at = at + 2
  end
  at = at + 1
end
for slot = 4, last, 3 do
  redis.call('hset', board, '${slotPrefix}' .. ARGV[slot], ARGV[slot + 2])
  redis.call('hdel', board, '${wantedPrefix}' .. ARGV[slot])
end
return 1`;

/** Every step of a filling begins so. KEYS: lock. ARGV: owner. */
const holdsLock = `if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('pexpire', KEYS[1], ${lockMs})`;
export const keepScript = `${holdsLock}
return 1`;
/** KEYS: lock, position. */
export const clearScript = `${holdsLock}
redis.call('del', KEYS[2])
return 1`;
/** KEYS: lock, hashes. ARGV: owner, then for each hash how many fields, (field, votes)… */
export const writeScript = `${holdsLock}
local at = 2
for index = 2, #KEYS do
  redis.call('unlink', KEYS[index])
  for _ = 1, tonumber(ARGV[at]) do
    redis.call('hset', KEYS[index], ARGV[at + 1], ARGV[at + 2])
    at = at + 2
  end
  at = at + 1
end
return 1`;
/** KEYS: lock, position. ARGV: owner, then the fields of the position. */
export const finishScript = `${holdsLock}
redis.call('del', KEYS[2])
for at = 2, #ARGV, 2 do redis.call('hset', KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call('del', KEYS[1])
return 1`;
export const unlockScript = `${holdsLock}
redis.call('del', KEYS[1])
return 1`;
