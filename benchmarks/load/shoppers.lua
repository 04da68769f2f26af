-- Shoppers for wrk: each drags a slider in strokes, searches after a stroke, looks at photos, and rests in between.
-- Every thread draws its own numbers; a connection is one shopper, who waits for an answer before asking again.

local b64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local render_id, latents, products, rest
local seen = { [200] = 0, [429] = 0, [503] = 0, other = 0 }

function init(args)
  render_id, latents, rest = args[1], tonumber(args[2]), tonumber(args[3])
  products = {}
  for i = 4, #args do products[#products + 1] = args[i] end
  math.randomseed(os.time() + tonumber(tostring({}):match("0x(%x+)") or "1", 16) % 100000)
end

function delay() return math.random() * 2 * rest end

local function design()
  local text = {}
  local characters = math.ceil(latents * 8 / 6)
  for i = 1, characters - 1 do local n = math.random(64); text[i] = b64:sub(n, n) end
  text[characters] = "A" -- the last character's spare bits are zero
  return table.concat(text)
end

function request()
  local dice = math.random()
  local product = products[math.random(#products)]
  if dice < 0.80 then
    return wrk.format("GET", "/v1/render.jpg?render_id=" .. render_id .. "&design=" .. design())
  elseif dice < 0.90 then
    return wrk.format("GET", "/v1/products/" .. product .. "/thumbnail.webp")
  end
  local path = dice < 0.96 and "/v1/similar" or "/v1/recommend"
  return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, '{"product": "' .. product .. '", "k": 12}')
end

function response(status)
  if seen[status] then seen[status] = seen[status] + 1 else seen.other = seen.other + 1 end
  answered, busy, many, wrong = seen[200], seen[503], seen[429], seen.other
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

function done(summary, latency)
  local sum = { answered = 0, busy = 0, many = 0, wrong = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(sum) do sum[name] = sum[name] + (thread:get(name) or 0) end
  end
  local e = summary.errors
  io.write(string.format(
    'JSON {"requests": %d, "seconds": %.1f, "answered": %d, "busy": %d, "many": %d, "wrong": %d, "broken": %d, "timeouts": %d, "p50": %.1f, "p99": %.1f}\n',
    summary.requests, summary.duration / 1e6, sum.answered, sum.busy, sum.many, sum.wrong,
    e.connect + e.read + e.write, e.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
