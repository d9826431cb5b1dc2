-- Has wrk send the requests of a file, which end with a NUL each, one after the other and then
-- from the beginning again, and print what it measured as a line of JSON.

local requests, last = {}, 0

local function following()
  last = last % #requests + 1
  return requests[last]
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for each in file:read("*a"):gmatch("(%Z+)%z") do
    requests[#requests + 1] = each
  end
  file:close()
  if #requests > 1 then
    request = following
  else
    wrk.format = following -- wrk calls it once, after this: then Lua costs nothing.
  end
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "bytes": %d, "p50": %d, "p99": %d, "refused": %d, '
      .. '"broken": %d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
