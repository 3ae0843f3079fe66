import type { ArgDef, ArgsDef } from 'citty'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOptions } from '../../cli/input/check-options.ts'
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
    '-p -1',
    '--local=false',
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
    ['--mode c', '--mode c is not one of a, b'],
    ['--mode=ab', '--mode ab is not one of a, b'],
    ['--local extra', "'extra'"],
    ['--port --local', '--port needs a value'],
    ['--no-port 1', "'--no-port'"],
    ['--local=maybe', '--local takes true or false only'],
  ] as const)
    assert.throws(
      () => checkOptions(line.split(' '), definition),
      (error: unknown) =>
        error instanceof UsageError && error.message.includes(culprit) && error.message.includes('--help'),
      line,
    )
  assert.throws(() => checkOptions(['x', 'y'], positional), /'y'/)
  for (const args of [
    ['--name', 'x'],
    ['--name=x', 'x'],
  ])
    assert.throws(() => checkOptions(args, positional), /there is no option '--name'/, 'a word is no option')
})

test('an option that is given twice is refused, by whatever name, but for one that may be repeated', () => {
  for (const line of ['--port 1 --port 2', '--port 1 -p 2', '--listen=1 --port=1', '--mode a --mode a'])
    assert.throws(
      () => checkOptions(line.split(' '), definition),
      (error: unknown) => error instanceof UsageError && error.message.includes('given more than once'),
      line,
    )
  checkOptions(['--local', '--local', '--no-local'], definition)
  checkOptions(['--set', 'a', '--set', 'b'], { set: { type: 'string', repeated: true } as ArgDef })
})

test('a near name is suggested, and one dash before a word is no option', () => {
  for (const [line, said] of [
    ['-listen 1', "'-listen' has one dash; did you mean --listen?"],
    ['-listen=1', "'-listen' has one dash; did you mean --listen?"],
    ['-local', "'-local' has one dash; did you mean --local?"],
    ['-lisen 1', "there is no option '-lisen'; did you mean --listen?"],
    ['--prot 1', "there is no option '--prot'; did you mean --port?"],
    ['--no-locl', "there is no option '--no-locl'; did you mean --no-local?"],
    ['local', "'local' is not expected here; did you mean --local?"],
    ['-p=1', 'as in -p 1'],
    ['-p1', "there is no option '-p1'; did you mean -p?"],
    ['--whatever', "there is no option '--whatever': see --help"],
    ['-x', "there is no option '-x': see --help"],
  ] as const)
    assert.throws(
      () => checkOptions(line.split(' '), definition),
      (error: unknown) => error instanceof UsageError && error.message.includes(said),
      `${line}: ${said}`,
    )
})

test('a repeated word stands for any number of them', () => {
  const repeated = { ...definition, name: { type: 'positional', required: false, repeated: true } } as ArgsDef
  for (const args of [[], ['x'], ['x', 'y', '--local', 'z']]) checkOptions(args, repeated)
  assert.throws(() => checkOptions(['x', '--nope'], repeated), /'--nope'/)
})

test('a word that a command needs is neither missing nor empty, wherever it stands', () => {
  const optional: ArgsDef = { ...definition, topic: { type: 'positional', required: false } }
  const needed: ArgsDef = { ...definition, ...positional }
  for (const args of [[], ['--local'], ['--port', '1'], [''], ['--'], ['--', '']])
    assert.throws(
      () => checkOptions(args, needed),
      (error: unknown) => error instanceof UsageError && error.message === '<name> is missing: see --help',
      args.join(' '),
    )
  for (const args of [['x'], ['--port', '1', 'x'], ['--', 'x'], ['--', '-x']]) checkOptions(args, needed)
  checkOptions([], optional)
})

test.run()
