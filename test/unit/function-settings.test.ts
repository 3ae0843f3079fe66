import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultAddressService, readSettings } from '../../function/settings.ts'
import { defaultStunServers, parseStunServers } from '../../tunnel/nat/stun/server-name.ts'

const test = suite("the function's settings")

/** The code and the message of a refusal. */
function refusal(env: Record<string, string>): [code: unknown, message: string] {
  try {
    readSettings(env)
  } catch (error) {
    return [(error as { code?: unknown }).code, String(error)]
  }
  throw new Error('it was to be refused')
}

test('private targets are reached where the deployment says true, and nothing else', () => {
  assert.is(readSettings({ ALLOW_PRIVATE: 'true' }).allowPrivate, true)
  for (const ALLOW_PRIVATE of [undefined, '', 'false', 'TRUE', '1'])
    assert.is(readSettings({ ALLOW_PRIVATE }).allowPrivate, false, String(ALLOW_PRIVATE))
})

test('without STUN servers of its own, or with none, it asks the usual ones', () => {
  const usual = parseStunServers(defaultStunServers.join(','))
  for (const STUN_SERVERS of [undefined, '']) assert.equal(readSettings({ STUN_SERVERS }).stunServers, usual)
  assert.equal(readSettings({ STUN_SERVERS: 'stun.example:3479' }).stunServers, [
    { host: 'stun.example', port: 3479 },
  ])
})

test('its address service is one by HTTPS, the usual one, or none', () => {
  for (const ADDRESS_SERVICE of [undefined, ''])
    assert.is(readSettings({ ADDRESS_SERVICE }).addressService, defaultAddressService)
  assert.is(readSettings({ ADDRESS_SERVICE: 'https://ip.example/' }).addressService, 'https://ip.example/')
  assert.is(readSettings({ ADDRESS_SERVICE: 'none' }).addressService, undefined)
  for (const ADDRESS_SERVICE of ['http://ip.example/', 'ftp://ip.example/', 'ip.example']) {
    const [code, message] = refusal({ ADDRESS_SERVICE })
    assert.is(code, 'E_EXIT_SETTINGS')
    assert.match(message, `ADDRESS_SERVICE: '${ADDRESS_SERVICE}' is not an address service`)
  }
})

test('nothing and auto leave the choice of an engine to what is there, a name is taken at its word', () => {
  for (const QUIC_ENGINE of [undefined, '', 'auto'])
    assert.is(readSettings({ QUIC_ENGINE }).engine, undefined)
  for (const QUIC_ENGINE of ['native', 'quiche']) assert.is(readSettings({ QUIC_ENGINE }).engine, QUIC_ENGINE)
})

test('another name of an engine is refused by code, with the names that there are', () => {
  const [code, message] = refusal({ QUIC_ENGINE: 'lsquic' })
  assert.is(code, 'E_EXIT_SETTINGS')
  assert.match(message, 'auto, native, quiche')
})

test.run()
