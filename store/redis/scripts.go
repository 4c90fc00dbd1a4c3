package redis

import "github.com/valkey-io/valkey-go"

// scripts run on the server, each on one key. All but take and refund may run twice with the same result.
type scripts struct{ point, unpoint, join, mend, touch, take, count, refund *valkey.Lua }

func newScripts() scripts {
	return scripts{
		point:   valkey.NewLuaScriptRetryable(point),
		unpoint: valkey.NewLuaScriptRetryable(unpoint),
		join:    valkey.NewLuaScriptRetryable(join),
		mend:    valkey.NewLuaScriptRetryable(mend),
		touch:   valkey.NewLuaScriptRetryable(touch),
		take:    valkey.NewLuaScript(take),
		count:   valkey.NewLuaScript(count),
		refund:  valkey.NewLuaScript(refund),
	}
}

const (
	// point: hash, milliseconds. Answers with the hash that it replaces, or the same one when there was none.
	point = `
local old = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return old or ARGV[1]`

	// unpoint: hash. Nothing happens when the pointer has moved on.
	unpoint = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`

	// join: score, member, milliseconds. The set stays as long as the longest of its members.
	join = `
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1`

	// mend: member, its score, and the one that it should have; "" removes it. Nothing happens when it has another by now.
	mend = `
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then
	if ARGV[3] == '' then redis.call('ZREM', KEYS[1], ARGV[1]) else redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
end
return 1`

	// touch: ID, last seen, idle at, both again as bytes, milliseconds of grace. Answers with the moment at which the session
	// is over, or nothing when there is no such session.
	touch = `
local head = redis.call('GETRANGE', KEYS[1], 0, 40)
if #head < 41 or head:sub(2, 17) ~= ARGV[1] then return false end
local seen, idle, expires = struct.unpack('>i8i8i8', head:sub(18))
if tonumber(ARGV[2]) > seen then
	seen = tonumber(ARGV[2])
	redis.call('SETRANGE', KEYS[1], 17, ARGV[4])
end
if tonumber(ARGV[3]) > idle then
	idle = tonumber(ARGV[3])
	redis.call('SETRANGE', KEYS[1], 25, ARGV[5])
end
local over = math.min(idle, expires)
local keep = math.max(0, math.floor((over - seen) / 1000)) + tonumber(ARGV[6])
if redis.call('PTTL', KEYS[1]) < keep then redis.call('PEXPIRE', KEYS[1], string.format('%.0f', keep)) end
return over`

	// take: ID. Removes the session and answers with what it was.
	take = `
local record = redis.call('GET', KEYS[1])
if record and record:sub(2, 17) == ARGV[1] then
	redis.call('DEL', KEYS[1])
	return record
end
return false`

	// states reads the moments at which the buckets of a key are full: microseconds, in decimal.
	states = `
local states = {}
for text in string.gmatch(redis.call('GET', KEYS[1]) or '', '%S+') do states[#states + 1] = tonumber(text) end
local now, rest = tonumber(ARGV[1]), tonumber(ARGV[2])
local function put(list)
	local full, texts = 0, {}
	for i, state in ipairs(list) do
		full = math.max(full, state - now)
		texts[i] = string.format('%.0f', state)
	end
	local keep = string.format('%.0f', math.ceil(full / 1000) + tonumber(ARGV[3]))
	redis.call('SET', KEYS[1], table.concat(texts, ' '), 'PX', keep)
end
`
	// count is store.Steps: now in microseconds, the nanoseconds beyond them, milliseconds of grace, then of each rate the
	// burst and the nanoseconds of one unit. Between times it calculates in nanoseconds from now on, which a float holds
	// exactly for a hundred days. It answers with the states as they were.
	count = states + `
local before = redis.call('GET', KEYS[1]) or ''
local after = {}
for i = 1, (#ARGV - 3) / 2 do
	local burst, every = tonumber(ARGV[2 + 2 * i]), tonumber(ARGV[3 + 2 * i])
	local ahead = 0
	if states[i] then ahead = math.max(0, (states[i] - now) * 1000 - rest) end
	if burst <= 0 or every <= 0 or ahead + every > burst * every then return before end
	after[i] = now + math.floor((ahead + every + rest) / 1000)
end
if #after > 0 then put(after) end
return before`

	// refund is store.Backs, with the arguments of count.
	refund = states + `
if #states == 0 then return 0 end
for i = 1, math.min((#ARGV - 3) / 2, #states) do
	local ahead = (states[i] - now) * 1000 - rest
	if ahead > 0 then
		states[i] = now + math.floor((math.max(0, ahead - tonumber(ARGV[3 + 2 * i])) + rest) / 1000)
	end
end
put(states)
return 1`
)
