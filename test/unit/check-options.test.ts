import type { ArgsDef } from 'citty'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOptions } from '../../cli/config/check-options.ts'
import { UsageError } from '../../cli/input/usage-error.ts'

const test = suite('options of a command')

const definition: ArgsDef = {
  port: { type: 'string', alias: ['p', 'listen'] },
  mode: { type: 'enum', options: ['a', 'b'] },
  local: { type: 'boolean' },
}
const positional: ArgsDef = { name: { type: 'positional' } }

test('options that exist are taken, in every way of writing them', () => {
  for (const line of [
    '',
    '--port 1',
    '--port=1',
    '-p 1',
    '--listen 1',
    '--mode a --local --port 1',
    '--no-local',
    '--port -1',
    '--local -- --whatever else',
  ])
    checkOptions(line.split(' ').filter(Boolean), definition)
  checkOptions(['x', '--local'], { ...definition, ...positional })
})

test('an option that does not exist, or lacks its value, is refused by name', () => {
  for (const [line, culprit] of [
    ['--prot 1', "'--prot'"],
    ['--prot=1', "'--prot'"],
    ['-x', "'-x'"],
    ['--no-remote', "'--no-remote'"],
    ['--port', '--port needs a value'],
    ['--port=', '--port needs a value'],
    ['--local --mode', '--mode needs a value'],
    ['--mode c', '--mode c is none of a, b'],
    ['--mode=ab', '--mode ab is none of a, b'],
    ['--local extra', "'extra'"],
  ] as const)
    assert.throws(
      () => checkOptions(line.split(' '), definition),
      (error: unknown) =>
        error instanceof UsageError && error.message.includes(culprit) && error.message.includes('--help'),
      line,
    )
  assert.throws(() => checkOptions(['x', 'y'], positional), /'y'/)
})

test.run()
