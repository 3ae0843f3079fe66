import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { loadConfig } from '../../cli/config/load.ts'
import { reservation, reservedConcurrency } from '../../cli/deploy/concurrency.ts'

const test = suite('deploy concurrency')
const room = (unreserved: number, own = 0) => ({ unreserved, own })

for (const [what, rooms, sessions, cap] of [
  ['an account with room', [room(1000)], 1, 10],
  ['one that has just room', [room(20)], 1, 10],
  ['one that lacks one', [room(19)], 1, undefined],
  ['a new account', [room(10)], 1, undefined],
  ['what is reserved already', [room(10, 10)], 1, 10],
  ['a region that has no room', [room(1000), room(10)], 1, undefined],
  ['many sessions', [room(1000)], 8, 16],
  ['many sessions and little room', [room(25)], 8, undefined],
] as const)
  test(`${what}: ${cap ?? 'no cap'}`, () => assert.is(reservation(rooms, sessions), cap))

/** Lambda's API as far as this asks it. */
const lambda = (unreserved: number | undefined) =>
  Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) =>
      url.includes('/account-settings')
        ? unreserved === undefined
          ? Response.json(
              { Message: 'no' },
              { status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } },
            )
          : Response.json({ AccountLimit: { UnreservedConcurrentExecutions: unreserved } })
        : Response.json(
            { Message: 'none' },
            { status: 404, headers: { 'x-amzn-errortype': 'ResourceNotFoundException' } },
          ),
  })

async function capOf(unreserved: number | undefined, settings: Record<string, string> = {}) {
  const server = lambda(unreserved)
  const environment = {
    AWS_ENDPOINT_URL_LAMBDA: server.url.origin,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    ...settings,
  }
  const before = Object.fromEntries(Object.keys(environment).map(name => [name, process.env[name]]))
  Object.assign(process.env, environment)
  try {
    return await reservedConcurrency(await loadConfig({ flags: {} }), ['eu-central-1', 'us-east-1'])
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
    await server.stop(true)
  }
}

test('AWS is asked in each region, and its refusal means no cap', async () => {
  assert.equal([await capOf(1000), await capOf(10), await capOf(undefined)], [10, undefined, undefined])
})

test('a number of one’s own goes before it', async () => {
  assert.is(await capOf(1000, { TF_VAR_reserved_concurrency: '4' }), undefined)
})

test.run()
