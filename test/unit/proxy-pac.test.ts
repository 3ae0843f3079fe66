import { createContext, runInContext } from 'node:vm'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { pacFile } from '../../cli/client/inbound/http/pac.ts'
import { outboundFor, parseRules } from '../../cli/client/outbound/rules.ts'
import { seeded } from '../support/random.ts'

const test = suite('PAC file')

/** What a browser makes of it: a script, and nothing but the language. */
function browser(rules: string[]): (url: string, host: string) => string {
  const context = createContext({})
  runInContext(pacFile(parseRules(rules), '127.0.0.1:1080'), context)
  return (url, host) =>
    runInContext(`FindProxyForURL(${JSON.stringify(url)}, ${JSON.stringify(host)})`, context)
}

test('without rules everything goes to the proxy', () => {
  assert.is(browser([])('https://example.org/', 'example.org'), 'PROXY 127.0.0.1:1080')
})

test('ports are those of the URL, and what is blocked goes to the proxy, which says so', () => {
  const find = browser(['block a.example.com', 'direct example.com:443,example.com:8000-8999'])
  for (const [url, direct] of [
    ['https://example.com/', true],
    ['wss://example.com/', true],
    ['http://example.com/', false],
    ['http://example.com:8080/x:443', true],
    ['http://example.com/:443', false],
    ['https://a.example.com/', false],
  ] as const)
    assert.is(find(url, new URL(url).hostname) === 'DIRECT', direct, url)
})

test('it agrees with the proxy about 3,000 targets and rules', () => {
  const random = seeded(20_261)
  const pick = <T>(list: readonly T[]): T => list[random.int(list.length)]!
  const hosts = [
    'com',
    'example.com',
    'a.example.com',
    'Example.COM.',
    'myexample.com',
    '10.0.0.1',
    '10.128.0.1',
    '11.0.0.1',
    '255.255.255.255',
    '0.0.0.0',
  ]
  const patterns = [
    '*',
    'com',
    'example.com',
    '*.example.com',
    '10.0.0.0/8',
    '10.0.0.0/9',
    '10.0.0.1',
    '0.0.0.0/0',
    '255.0.0.0/8',
    '2001:db8::/32',
  ]
  const ports = ['', '', ':80', ':443', ':1000-9000']
  let direct = 0
  for (let i = 0; i < 300; i++) {
    const rules = Array.from(
      { length: random.int(5) },
      () => `${pick(['direct', 'direct', 'tunnel', 'block'])} ${pick(patterns.slice(0, -1))}${pick(ports)}`,
    )
    rules.push(`direct ${patterns.at(-1)}`)
    const find = browser(rules)
    for (let j = 0; j < 10; j++) {
      const host = pick(hosts)
      const port = pick([80, 443, 8080])
      const says = find(`http://${host}:${port}/`, host) === 'DIRECT'
      if (says) direct++
      assert.is(says, outboundFor(parseRules(rules), { host, port }) === 'direct', `${rules} ${host}:${port}`)
    }
  }
  assert.ok(direct > 300, String(direct))
})

test('IPv6 addresses are left to the proxy', () => {
  const find = browser(['direct ::/0', 'direct *'])
  for (const host of ['2001:db8::1', '[2001:db8::1]'])
    assert.is(find('http://[2001:db8::1]/', host), 'PROXY 127.0.0.1:1080')
})

test.run()
