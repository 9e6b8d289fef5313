-- Runs in HAProxy 2.6 (Lua 5.3), and only for requests whose route is a hold: `hold_<cause>/<environment>`. Such a request waits here with
-- its body unread until the map of routes leads elsewhere, then goes on as if it had come now. Past a limit its route stays the hold, whose
-- back end answers 503 with the text in txn.held. One Lua state for all threads, so the counts are those of the worker.

local routes = Map.new('maps/routes.map', Map._beg)
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

local function enter(request)
  waiting[request] = true
  counts[request.environment] = (counts[request.environment] or 0) + 1
  total = total + 1
end

local function leave(request)
  if not waiting[request] then return end
  waiting[request] = nil
  local left = counts[request.environment] - 1
  counts[request.environment] = left > 0 and left or nil
  total = total - 1
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

core.register_cli({ 'show', 'held' }, 'show held : how many requests wait, by environment', function(applet)
  sweep(now_ms())
  local lines = {}
  for environment, count in pairs(counts) do lines[#lines + 1] = environment .. ' ' .. count .. '\n' end
  applet:send(table.concat(lines))
end)
