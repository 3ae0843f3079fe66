import { GetObjectCommand } from '@aws-sdk/client-s3'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { answerKey } from '../../tunnel/signalling/keys.ts'
import { type AddressService, startAddressService } from '../support/address-service.ts'
import { type LocalCloud, startLocalCloud } from '../support/local-cloud.ts'

// The function alone hears from no STUN server, or cannot work as it was deployed: the client is told.

interface Context {
  service: AddressService
  local: LocalCloud | undefined
}

const test = suite<Context>('A function that is not well')

test.before(async context => {
  context.service = await startAddressService({
    '/': response => response.end('127.0.0.1\n'),
    '/wrong': response => response.writeHead(500).end(),
  })
})
test.after.each(async context => {
  await context.local?.close()
  context.local = undefined
})
test.after(({ service }) => service.close())

/** Where nothing hears. */
const deaf = ['127.0.0.1:9']

const startWith = async (context: Context, settings: string[], stunServers?: string[]) => {
  context.local = await startLocalCloud({
    command: ['env', `NODE_EXTRA_CA_CERTS=${context.service.authorities}`, ...settings],
    ...(stunServers && { stunServers }),
  })
  return context.local
}

test('without STUN it takes its address from the address service, and calls it a guess', async context => {
  const local = await startWith(context, [`ADDRESS_SERVICE=${context.service.url}/`], deaf)
  const proxy = await local.proxy()
  const { session } = proxy.told('exit.ready')[0]!
  const { Body } = await local.client.send(
    new GetObjectCommand({ Bucket: local.bucket, Key: answerKey(session) }),
  )
  const answer = JSON.parse(await Body!.transformToString())
  assert.equal([answer.guessed, answer.mapping, answer.stun_views], [true, 'unknown', []])
  assert.equal(
    [answer.function_ip, answer.function_port, answer.candidates.length],
    ['127.0.0.1', answer.local_port, 1],
  )
  assert.is(answer.runtime.descriptors > 0, true)
  const step = proxy.told('exit.step').find(({ step }) => step === 'answer')
  assert.match(step!.detail, 'a guess of its own')
  const warned = await local.logged('no STUN server answered: the address is a guess')
  assert.is(warned.level, 'WARN')
  assert.is(await proxy.stop('SIGINT'), 0)
})

for (const [what, settings, stun, code, words] of [
  ['neither STUN nor the address service tells', '/wrong', deaf, 'E_EXIT_STUN_UNREACHABLE', /answered 500/],
  ['no address service is to be asked', 'none', deaf, 'E_EXIT_STUN_UNREACHABLE', /no STUN server answered/],
  [
    'a setting is malformed',
    'http://x',
    undefined,
    'E_EXIT_SETTINGS',
    /ADDRESS_SERVICE: 'http:\/\/x' is not/,
  ],
] as const)
  test(`${what}: the client is told at once, and the invocation counts as failed`, async context => {
    const url = settings.startsWith('/') ? `${context.service.url}${settings}` : settings
    const local = await startWith(context, [`ADDRESS_SERVICE=${url}`], stun && [...stun])
    const proxy = await local.launch()
    const failed = await proxy.event('exit.failed')
    assert.equal([failed.step, failed.code], ['answer', code])
    assert.match(failed.message, words)
    assert.ok(failed.hint)
    const { status } = await local.logged('platform.report', ({ session }) => session === undefined)
    assert.is(status, 'error')
    assert.is(await proxy.stop('SIGINT'), 0)
  })

test('the log tells no client’s address at INFO, and what the session was like', async context => {
  const local = await startWith(context, [])
  const proxy = await local.proxy()
  assert.is(await proxy.stop('SIGINT'), 0)
  const ended = await local.logged('ended')
  assert.ok(Number(ended.peakMb) > 10)
  const answered = await local.logged('answered')
  assert.is(answered.localPort, Number(String(answered.public).split(':')[1]))
  assert.is((answered.stunViews as unknown[]).length, 1)
  assert.ok(Math.abs(Number(answered.eventAgeMs)) < 60_000)
  const runtime = answered.runtime as Record<string, number>
  for (const fact of ['memory_total_mb', 'heap_limit_mb', 'descriptors', 'receive_buffer_bytes'])
    assert.ok(runtime[fact]! > 0, fact)
  const { detail } = proxy.told('exit.step').find(({ step }) => step === 'stun')!
  const [client] = /[\d.]+:\d+/.exec(detail)!
  assert.not.match(JSON.stringify(local.log), client)
})

test.run()
