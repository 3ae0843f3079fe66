import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { account } from '../../cli/cloud/s3-auth.ts'
import { type LambdaStandIn, startLambdaStandIn } from '../support/lambda-stand-in.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'
import { until } from '../support/until.ts'

// The events of S3 are late or do not come at all, and Lambda may be asked, or may not.

interface Context {
  local: LocalCloud
  lambda: LambdaStandIn
  /** The deliveries of S3's events that are held back; undefined where they are not. */
  held: (() => void)[] | undefined
  /** A proxy that knows the function, too. */
  launch(...args: string[]): ReturnType<LocalCloud['launch']>
  /** Writes the deployment's state anew, in this AWS account. */
  state(account: string): Promise<void>
  undo: () => Promise<void>
}

const functionName = 'team-proxy'
const test = suite<Context>('what starts the function')

test.before.each(async context => {
  const deliver = (it: () => void) => (context.held ? void context.held.push(it) : it())
  const local = await startLocalCloud({ onEvent: deliver })
  const lambda = await startLambdaStandIn(event => void local.cloud.deliver(event))
  const stateHome = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const folder = join(stateHome, 'lambda-nat-proxy', functionName)
  await mkdir(folder, { recursive: true })
  const { region, bucket } = local
  const writeState = (account: string) => {
    const arn = `arn:aws:lambda:${region}:${account}:function:${functionName}`
    const outputs = {
      buckets: { value: { [region]: bucket } },
      functions: {
        value: { [region]: { name: functionName, arn, log_group: `/aws/lambda/${functionName}` } },
      },
    }
    return writeFile(join(folder, 'terraform.tfstate'), JSON.stringify({ version: 4, outputs }))
  }
  await writeState(account)
  Object.assign(context, {
    ...{ local, lambda, held: [], state: writeState },
    launch: (...args: string[]) =>
      local.launch({
        deployment: functionName,
        args: ['--no-dashboard', ...args],
        env: { XDG_STATE_HOME: stateHome, AWS_ENDPOINT_URL_LAMBDA: lambda.endpoint },
      }),
    async undo() {
      await local.close()
      lambda.close()
      await rm(stateHome, { recursive: true })
    },
  })
})
test.after.each(({ undo }) => undo())

const isAnswer = ({ step }: { step: string }) => step === 'answer'

test('events that are withheld: auto invokes the function, and a late event answers nothing', async context => {
  const { local, lambda, launch } = context
  const proxy = await launch()
  const { session } = await proxy.event('exit.ready')
  assert.is((await proxy.event('exit.step', isAnswer)).startedBy, 'invoke')
  assert.equal(
    lambda.calls.map(({ functionName, type }) => [functionName, type]),
    [[functionName, 'Event']],
  )
  for (const deliver of context.held!.splice(0)) deliver()
  await local.logged('offer is answered already: this delivery is a duplicate', it => it.session === session)
  assert.is(local.log.filter(({ message }) => message === 'answered').length, 1)
})

test('events that come: S3 starts the function', async context => {
  context.held = undefined
  const proxy = await context.launch()
  await proxy.event('exit.ready')
  assert.is((await proxy.event('exit.step', isAnswer)).startedBy, 's3')
})

test('events that are late, and no right to invoke: that is told once, and S3 is waited for', async context => {
  const { lambda, launch } = context
  lambda.mode = 'deny'
  const proxy = await launch('--sessions', '2')
  const { code, hint } = await proxy.event('invoke.failed')
  assert.is(code, 'E_AWS_ACCESS_DENIED')
  assert.match(hint!, 'client_policy_json')
  await until(() => lambda.calls.length === 2, 'both sessions to have tried')
  // The deployment is new: events may take five minutes.
  assert.ok((await proxy.event('exit.waiting')).limitMs > 120_000)
  for (const deliver of context.held!.splice(0)) deliver()
  await until(() => proxy.told('exit.ready').length === 2, 'both exits')
  assert.is(proxy.told('invoke.failed').length, 1)
  assert.equal(
    proxy
      .told('exit.step')
      .filter(isAnswer)
      .map(({ startedBy }) => startedBy),
    ['s3', 's3'],
  )
})

test('s3 waits for the event, and never invokes', async context => {
  const { lambda, launch } = context
  const proxy = await launch('--trigger', 's3', '--answer-timeout', '90s')
  const { limitMs } = await proxy.event('exit.waiting')
  assert.is(limitMs, 90_000)
  for (const deliver of context.held!.splice(0)) deliver()
  await proxy.event('exit.ready')
  assert.equal(lambda.calls, [])
})

test('an event that is 90 s late finds an offer that has been written anew', async context => {
  const { local, launch } = context
  const proxy = await launch('--trigger', 's3', '--answer-timeout', '2m')
  const { session } = await proxy.event('exit.step', ({ step }) => step === 'offer')
  await until(() => context.held!.length > 1, 'the second event', 60_000)
  void local.cloud.deliver(local.eventOf(session, new Date(Date.now() - 90_000)))
  assert.is((await proxy.event('exit.ready')).session, session)
  assert.is(proxy.told('exit.failed').length, 0)
})

test('while Lambda is throttling, auto tries again within the same wait', async context => {
  const { lambda, launch } = context
  lambda.mode = 'throttle'
  const proxy = await launch()
  assert.is((await proxy.event('invoke.failed')).code, 'E_AWS_THROTTLED')
  lambda.mode = 'accept'
  await proxy.event('exit.ready')
  assert.is((await proxy.event('exit.step', isAnswer)).startedBy, 'invoke')
  assert.is(proxy.told('exit.launching').length, 1)
})

test('invoke does so at once; while Lambda is throttling, that is the failure, and it is tried again later', async context => {
  const { lambda, launch } = context
  lambda.mode = 'throttle'
  const proxy = await launch('--trigger', 'invoke')
  const { step, code, retryMs } = await proxy.event('exit.failed')
  assert.equal([step, code], ['answer', 'E_AWS_THROTTLED'])
  assert.ok(retryMs > 0)
  lambda.mode = 'accept'
  await proxy.event('exit.ready')
  assert.is((await proxy.event('exit.step', isAnswer)).startedBy, 'invoke')
})

test("a stranger's bucket of the deployment's name ends the command", async ({ launch, state }) => {
  await state('999999999999')
  const proxy = await launch()
  const { step, code } = await proxy.event('exit.failed')
  assert.equal([step, code], ['offer', 'E_BUCKET_FOREIGN'])
  await until(() => proxy.said().includes('no exit can start'), 'its last words')
})

test('invoke without the right to ends the command: no exit can ever start', async ({ lambda, launch }) => {
  lambda.mode = 'deny'
  const proxy = await launch('--trigger', 'invoke')
  const { code } = await proxy.event('exit.failed')
  assert.is(code, 'E_AWS_ACCESS_DENIED')
  await until(() => proxy.said().includes('no exit can start'), 'its last message')
})

test('a bucket of no known function cannot be invoked for, and that is told before anything begins', async ({
  local,
}) => {
  const proxy = await local.launch({ args: ['--trigger', 'invoke'] })
  await until(() => proxy.said().includes('--trigger invoke needs the function'), 'the reason')
  // It ends of itself: this signal does nothing.
  assert.is(await proxy.stop('SIGCONT'), 2)
})

test.run()
