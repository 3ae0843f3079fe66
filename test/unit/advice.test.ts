import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { didYouMean, nearest } from '../../cli/input/did-you-mean.ts'
import { listenError } from '../../cli/input/listen-error.ts'
import { together } from '../../cli/input/together.ts'
import { adviceFor, inData, inWords, withAdvice } from '../../cli/output/advice.ts'
import { CodedError } from '../../tunnel/net/coded-error.ts'

const test = suite('errors in words')

const system = (code: string, fields: object = {}) =>
  Object.assign(new Error(`${code}: raw words of the system, open '/x'`), { code, ...fields })

test('a code has our own advice, or else the hint of who threw it', () => {
  assert.match(adviceFor({ code: 'E_BUCKET_NOT_FOUND', hint: 'Look for it.' })!, '--bucket')
  assert.is(adviceFor({ code: 'E_TEA', hint: 'Make new tea.' }), 'Make new tea.')
  assert.is(adviceFor({ code: 'E_TEA' }), undefined)
  assert.is(
    withAdvice({ code: 'E_TEA', message: 'it is cold', hint: 'Make new tea.' }),
    'it is cold. Make new tea.',
  )
  assert.is(withAdvice({ code: 'E_TEA', message: 'is it cold?', hint: 'Drink.' }), 'is it cold? Drink.')
})

test('what the system refuses names the path and what to do, not its own words', () => {
  for (const [error, ...words] of [
    [system('ENOENT', { path: '/a/file' }), '/a/file: there is no such file or folder'],
    [system('EACCES', { path: '/a/file' }), '/a/file: permission is denied'],
    [system('ENOSPC', { path: '/a/file' }), 'the disk is full. Make room'],
    [system('ENOTFOUND', { hostname: 'a.example' }), 'a.example: the name is not found'],
    [system('EMFILE'), 'too many files are open', 'ulimit'],
  ] as const) {
    const said = inWords(error).join()
    for (const word of words) assert.match(said, word)
    assert.not.match(said, /raw words/)
  }
  assert.not.match(inWords(system('ENOENT', { path: '/a\u001b[2J' })).join(), '\u001b')
})

test('of an error that nobody knows it says so, and how to report it', () => {
  assert.match(inWords(new TypeError('x is undefined')).join(), /x is undefined\. This is a fault.*DEBUG=1/)
})

test('several errors are told together, and one as it is', async () => {
  const failing = (code: string) => () => {
    throw new CodedError(code, `${code} happened`)
  }
  const error = await together(
    failing('E_A'),
    () => 1,
    async () => failing('E_B')(),
  ).catch(error => error)
  assert.equal(inWords(error), ['E_A happened', 'E_B happened'])
  assert.equal(inData(error), [
    { code: 'E_A', message: 'E_A happened' },
    { code: 'E_B', message: 'E_B happened' },
  ])
  assert.is((await together(failing('E_A'), () => 1).catch(error => error)).code, 'E_A')
  assert.equal(
    await together(
      () => 1,
      async () => 'b',
    ),
    [1, 'b'],
  )
})

test('a port that cannot be had is explained with the options of what would listen there', () => {
  for (const [listener, option] of [
    ['proxy', '--port'],
    ['dashboard', '--dashboard-port'],
    ['S3', '--s3-port'],
    ['STUN', '--stun-port'],
  ] as const) {
    const at = { host: '127.0.0.1', port: 80 }
    const used = listenError(system('EADDRINUSE'), listener, at)
    assert.is(used.code, 'E_PORT_IN_USE')
    assert.match(inWords(used).join(), '127.0.0.1:80')
    assert.match(inWords(used).join(), option)
    assert.match(inWords(listenError(system('EACCES'), listener, at)).join(), '1024')
    const away = inWords(listenError(system('EADDRNOTAVAIL'), listener, { host: '::2', port: 1 })).join()
    assert.match(away, '[::2]:1')
    assert.match(away, 'address of this machine')
  }
  assert.match(inWords(listenError(system('EWHATEVER'), 'proxy', { host: 'a', port: 1 })).join(), 'EWHATEVER')
  const unknown = listenError(new Error('Failed to listen'), 'proxy', { host: 'a', port: 1 })
  assert.is(unknown.message, 'a:1, for the proxy, cannot be listened on: Failed to listen')
})

test('a name that is nearly right is suggested, letters that swapped places among it', () => {
  assert.is(didYouMean('rnu', ['run', 'env']), '; did you mean run?')
  assert.is(didYouMean('deploi', ['deploy', 'destroy']), '; did you mean deploy?')
  assert.is(didYouMean('tea', ['run', 'env']), '.')
  assert.equal(nearest('x', ['p', 'q']), [])
})

test.run()
