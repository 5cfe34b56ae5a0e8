-- Counts a request of a key and judges it, as shard.go of package limit does.
--
-- KEYS[1]  a hash: a<slot> and r<slot> are the requests that were allowed and refused
--          in a slot, t the latest moment that was seen, until and length a block
-- ARGV     the limit a minute, now, whether strangers share the key (1 or 0)
-- returns  allowed (1 or 0), remaining, reset, retry after, blocked (1 or 0)
--
-- All times are milliseconds; slots are numbered since 1970.

local MINUTE, SLOT = 60000, 5000
local SLOTS = 12                    -- in a minute: a window holds those, and the one that its edge lies in
local FIRST_BLOCK, DAY = 15 * MINUTE, 24 * 60 * MINUTE
local PATIENCE = 30

local key, limit, now, stranger = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'

local stored = {}
local flat = redis.call('HGETALL', key)
for i = 1, #flat, 2 do
  stored[flat[i]] = tonumber(flat[i + 1])
end
-- Clocks differ a little, and none runs back. One that was far ahead, and is right now,
-- has left nothing that counts.
if stored.t and stored.t <= now + MINUTE then now = math.max(now, stored.t) end
if stored['until'] and stored['until'] > now + DAY then
  redis.call('HDEL', key, 'until', 'length')
  stored['until'], stored.length = nil, nil
end
local present = math.floor(now / SLOT)
local oldest = present - SLOTS

local function count(kind)
  local n = 0
  for slot = oldest, present do
    n = n + (stored[kind .. slot] or 0)
  end
  return n
end

-- wait is how long it takes until the window holds no more than most.
local function wait(most)
  local n = count('a')
  if n <= most then return 0 end
  for slot = oldest, present do
    n = n - (stored['a' .. slot] or 0)
    if n <= most then return (slot + SLOTS + 1) * SLOT - now end
  end
end

local function add(kind)
  local field = kind .. present
  stored[field] = (stored[field] or 0) + 1
  redis.call('HSET', key, field, stored[field], 't', string.format('%.0f', now))
end

-- keep forgets slots that no window holds any more, and the key once nothing of it counts.
local function keep()
  for field in pairs(stored) do
    local slot = tonumber(string.match(field, '^[ar](%d+)$'))
    if slot and (slot < oldest or slot > present) then redis.call('HDEL', key, field) end
  end
  local life = 2 * MINUTE
  if stored['until'] then life = math.max(life, stored['until'] + DAY - now) end
  redis.call('PEXPIRE', key, string.format('%.0f', life))
end

if stored['until'] and now - stored['until'] >= DAY then
  redis.call('HDEL', key, 'until', 'length')
  stored['until'], stored.length = nil, nil
end
if stored['until'] and now < stored['until'] then
  local left = stored['until'] - now
  return {0, 0, left, left, 1}
end

local used = count('a')
if used < limit then
  add('a')
  keep()
  return {1, limit - used - 1, wait(0), 0, 0}
end

add('r')
if stranger or count('r') <= math.max(limit, PATIENCE) then
  keep()
  return {0, 0, wait(0), wait(limit - 1), 0}
end
local length = math.min(math.max(2 * (stored.length or 0), FIRST_BLOCK), DAY)
stored['until'], stored.length = now + length, length
redis.call('HSET', key, 'until', string.format('%.0f', now + length), 'length', string.format('%.0f', length))
keep()
return {0, 0, length, length, 1}
