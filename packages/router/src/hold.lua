-- Runs in HAProxy 2.6 (Lua 5.3), and only for requests whose route is a hold: `hold_<cause>/<environment>`. Such a request waits here with
-- its body unread until the map of routes leads elsewhere, then goes on as if it had come now. Past a limit its route stays the hold, whose
-- back end answers 503 with the text in txn.held. One Lua state for all threads, so the counts are those of the worker.

local routes = Map.new('maps/routes.map', Map._beg)
-- Only so that HAProxy knows the map.
Map.new('maps/held.map', Map._str)
local wake_interval_ms = 1000
-- A request whose client left is never resumed, so nothing can count it out: who is this late has left.
local late_ms = 1000

local total = 0
-- By environment: how many wait.
local counts = {}
-- The waiting themselves: { environment, due }, of which due is when it looks again.
local waiting = {}
-- By environment: when its wake was last told.
local woken = {}

local function now_ms()
  local now = core.now()
  return now.sec * 1000 + now.usec // 1000
end

-- In a map, which HAProxy itself shows at its run-time socket: a command of ours there crashes 2.6.12 when it is made to yield.
local function count(environment, change)
  local after = (counts[environment] or 0) + change
  total = total + change
  if after > 0 then
    counts[environment] = after
    core.set_map('maps/held.map', environment, tostring(after))
  else
    counts[environment] = nil
    core.del_map('maps/held.map', environment)
  end
end

local function enter(request)
  waiting[request] = true
  count(request.environment, 1)
end

local function leave(request)
  if not waiting[request] then return end
  waiting[request] = nil
  count(request.environment, -1)
end

local function sweep(now)
  for request in pairs(waiting) do
    if request.due + late_ms < now then leave(request) end
  end
  for environment, at in pairs(woken) do
    if at + wake_interval_ms < now then woken[environment] = nil end
  end
end

-- Not awaited by anybody: where nobody listens, or not in time, the next one is told a second later.
local function tell_wake(environment, now)
  if woken[environment] and now < woken[environment] + wake_interval_ms then return end
  woken[environment] = now
  local socket = core.tcp()
  socket:settimeout(1)
  if socket:connect('unix@run/wake.sock') then socket:send(environment .. '\n') end
  socket:close()
end

-- Small while few wait, and such that all of them together look at most 20,000 times a second.
local function pause_ms(age)
  return math.max(age < 2000 and 10 or 25, total // 20)
end

local function refusal(request, limits, now)
  if now - request.since >= limits[request.cause] then
    return request.cause == 'suspended' and 'This environment did not wake up in time.' or 'This environment did not become ready in time.'
  end
  if waiting[request] then return nil end
  if (counts[request.environment] or 0) >= limits.per_environment then return 'Too many requests wait for this environment already.' end
  if total >= limits.in_total then return 'Too many requests wait at this server already.' end
  return nil
end

-- The arguments are those of HoldLimits in hold-script.ts.
local function hold(txn, per_environment, in_total, switching_ms, suspended_ms)
  local limits = {
    per_environment = tonumber(per_environment),
    in_total = tonumber(in_total),
    switching = tonumber(switching_ms),
    suspended = tonumber(suspended_ms),
  }
  local key = txn.sf:req_hdr('host'):match('^[^:]*'):lower() .. txn:get_var('txn.path') .. '/'
  local now = now_ms()
  local request = { since = now, due = now }
  while true do
    local route = routes:lookup(key)
    local cause, environment = (route or ''):match('^hold_(%l+)/(.+)$')
    if not cause then
      leave(request)
      if route then txn:set_var('txn.route', route) else txn:unset_var('txn.route') end
      return
    end
    -- Our map stands still after a reload: the new worker holds it further.
    if txn.f:stopping() == 1 then
      leave(request)
      return
    end
    if request.environment ~= environment then
      leave(request)
      request.environment = environment
    end
    request.cause = cause
    now = now_ms()
    local why = refusal(request, limits, now)
    if why then
      leave(request)
      txn:set_var('txn.held', why)
      return
    end
    local pause = pause_ms(now - request.since)
    request.due = now + pause
    if not waiting[request] then enter(request) end
    if cause == 'suspended' then tell_wake(environment, now) end
    core.msleep(pause)
  end
end

core.register_action('hold', { 'http-req' }, hold, 4)

core.register_task(function()
  while true do
    core.msleep(1000)
    sweep(now_ms())
  end
end)
