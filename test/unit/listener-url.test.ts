import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseListener } from '../../cli/input/listener-url.ts'

const test = suite('listener as a URL')

test('scheme, address, port and a file of logins are read', () => {
  for (const [text, expected] of [
    ['http://127.0.0.1:80', { scheme: 'http', host: '127.0.0.1', port: 80 }],
    ['SOCKS5://[::1]:0', { scheme: 'socks5', host: '::1', port: 0 }],
    [
      'mixed://0.0.0.0:65535?auth-file=/etc/a+b/log%20ins.txt',
      { scheme: 'mixed', host: '0.0.0.0', port: 65_535, authFile: '/etc/a+b/log ins.txt' },
    ],
    ['http://h:1?auth-file=50%.txt', { scheme: 'http', host: 'h', port: 1, authFile: '50%.txt' }],
  ] as const)
    assert.equal(parseListener(text), expected)
})

test('what is wrong is said, and nothing is passed over that might be meant for logins', () => {
  for (const [text, why] of [
    ['ftp://127.0.0.1:1', 'must begin with mixed://'],
    ['http://127.0.0.1', 'a port from 0 to 65535'],
    ['http://127.0.0.1:65536', 'a port from 0 to 65535'],
    ['http://:80', 'a port from 0 to 65535'],
    ['http://a:b@127.0.0.1:80', 'put logins in a file'],
    ['http://127.0.0.1:80/', 'nothing but ?auth-file=path may follow'],
    ['http://127.0.0.1:80?auth_file=team.txt', 'nothing but ?auth-file=path may follow'],
    ['http://127.0.0.1:80?auth-file=', 'nothing but ?auth-file=path may follow'],
    ['http://127.0.0.1:80?auth-file=a&auth-file=b', 'nothing but ?auth-file=path may follow'],
    ['http://127.0.0.1:80?auth-file=a#b', 'nothing but ?auth-file=path may follow'],
  ] as const)
    assert.throws(
      () => parseListener(text),
      (error: Error) => error.message.includes(why) && !error.message.includes('a:b@'),
      text,
    )
})

test.run()
