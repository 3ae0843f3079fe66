import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { UsageError } from '../../cli/input/usage-error.ts'
import { BoundedMap } from '../../tunnel/net/bounded-map.ts'
import { CodedError, errorData } from '../../tunnel/net/coded-error.ts'
import { printable } from '../../tunnel/net/printable.ts'

const test = suite('errors as data')

test('an error of ours is its code, message and hint', () => {
  const error = new CodedError('E_EXAMPLE', 'it broke', { hint: 'mend it', cause: new Error('why') })
  assert.equal(errorData(error), { code: 'E_EXAMPLE', message: 'it broke', hint: 'mend it' })
  assert.equal(JSON.parse(JSON.stringify(error)), errorData(error))
  assert.equal(errorData(new CodedError('E_EXAMPLE', 'it broke')), { code: 'E_EXAMPLE', message: 'it broke' })
})

test('a usage error has its own code where one is given', () => {
  assert.is(new UsageError('no').code, 'E_USAGE')
  assert.is(new UsageError('no', { code: 'E_PORT_IN_USE' }).code, 'E_PORT_IN_USE')
})

test("the system's codes are kept, and anything else is unexpected", () => {
  assert.is(errorData(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })).code, 'ECONNREFUSED')
  assert.is(errorData(Object.assign(new Error('odd'), { code: 'with spaces' })).code, 'E_UNEXPECTED')
  assert.equal(errorData('thrown text'), { code: 'E_UNEXPECTED', message: 'thrown text' })
})

test('what acts on a terminal or turns text round is not printed', () => {
  assert.is(printable('a\x1b[31mb\r\nc\x9bd\u202ee\u2028f'), 'a\ufffd[31mb\ufffd\ufffdc\ufffdd\ufffde\ufffdf')
  assert.is(printable('größer 中文 🙂'), 'größer 中文 🙂')
  assert.is(printable('x'.repeat(600)).length, 501)
})

test('a bounded map evicts what was used longest ago', () => {
  const evicted: string[] = []
  const map = new BoundedMap<string, number>(2, key => evicted.push(key))
  map.set('a', 1).set('b', 2)
  assert.is(map.touch('a'), 1)
  map.set('c', 3)
  assert.equal([...map.keys()], ['a', 'c'])
  map.delete('a')
  map.set('d', 4).set('d', 5)
  assert.equal(
    [...map],
    [
      ['c', 3],
      ['d', 5],
    ],
  )
  assert.equal(evicted, ['b'])
  assert.is(map.touch('none'), undefined)
  assert.is(map.size, 2)
})

test.run()
