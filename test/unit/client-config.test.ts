import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { clientConfigs, proxyUrl } from '../../cli/commands/client-config.ts'

const test = suite('Configurations of clients')

const plain = { host: '127.0.0.1', port: 1080 }
const login = { user: 'alice', password: '0123' }
const text = (format: string, proxy: Parameters<typeof proxyUrl>[1]) => clientConfigs[format]!.text(proxy)

test('a URL has its login in bytes that nothing else means', () => {
  assert.is(proxyUrl('socks5h', plain), 'socks5h://127.0.0.1:1080')
  const awkward = { user: "o'neill", password: '(p@ss):%/?#[ü] *!' }
  const url = proxyUrl('http', { host: 'fd00::1', port: 99, login: awkward })
  assert.is(url, 'http://o%27neill:%28p%40ss%29%3A%25%2F%3F%23%5B%C3%BC%5D%20%2A%21@[fd00::1]:99')
  assert.is(decodeURIComponent(new URL(url).password), awkward.password)
})

test('curl and Git are given a URL in quotes, names left to the exit', () => {
  assert.is(
    text('curlrc', plain),
    'proxy = "socks5h://127.0.0.1:1080"\nnoproxy = "localhost,127.0.0.1,::1"\n',
  )
  assert.is(text('git', { ...plain, login }), '[http]\n\tproxy = "socks5h://alice:0123@127.0.0.1:1080"\n')
  assert.is(text('git', { host: 'a"\\b', port: 1 }), '[http]\n\tproxy = "socks5h://a\\"\\\\b:1"\n')
})

test('proxychains is given fields, and nothing that it would read as others', () => {
  assert.match(text('proxychains', plain), /\nproxy_dns\n/)
  assert.match(text('proxychains', plain), /\[ProxyList\]\nsocks5 127\.0\.0\.1 1080\n$/)
  assert.match(text('proxychains', { ...plain, login }), /\nsocks5 127\.0\.0\.1 1080 alice 0123\n$/)
  for (const proxy of [
    { host: 'localhost', port: 1080 },
    { ...plain, login: { user: 'alice', password: 'two words' } },
    { ...plain, login: { user: 'a b', password: 'word' } },
  ])
    assert.throws(
      () => text('proxychains', proxy),
      (error: { code: string }) => error.code === 'E_USAGE',
    )
})

test('sing-box and mihomo are given an outbound, the password as text', () => {
  assert.equal(JSON.parse(text('sing-box', { ...plain, login })), {
    outbounds: [
      {
        type: 'socks',
        tag: 'lambda-nat-proxy',
        version: '5',
        server: '127.0.0.1',
        server_port: 1080,
        username: 'alice',
        password: '0123',
      },
    ],
  })
  const entry = { name: 'lambda-nat-proxy', type: 'socks5', server: '127.0.0.1', port: 1080, udp: true }
  assert.equal(parse(text('mihomo', plain)), { proxies: [entry] })
  assert.equal(parse(text('mihomo', { ...plain, login })).proxies[0].password, '0123')
})

test.run()
