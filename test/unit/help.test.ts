import { stripVTControlCharacters } from 'node:util'
import type { ArgsDef, CommandDef } from 'citty'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { resolve } from '../../cli/commands/program.ts'
import { checkOptions } from '../../cli/input/check-options.ts'
import { describe, renderHelp } from '../../cli/output/help.ts'
import { helpPage } from '../../cli/output/help-page.ts'

const test = suite('help')

const command: CommandDef = {
  meta: describe({
    description: 'Make tea, and keep it warm until somebody comes to drink it.',
    exits: { done: 'drunk', refused: 'nobody wanted it' },
    examples: [['tea --kind green', 'Green tea']],
  }),
  args: {
    kind: { type: 'enum', options: ['green', 'black'], default: 'black', description: 'What kind of tea' },
    minutes: { type: 'string', alias: ['m', 'minute'], valueHint: 'n', description: 'How long it stands' },
    milk: { type: 'boolean', default: true, description: 'With milk' },
    sugar: {
      type: 'boolean',
      description: 'With sugar, which takes some words more than fit beside the option',
    },
    guest: { type: 'positional', required: false },
  },
}
const help = async (width: number, words = ['brew', 'tea'], it = command) =>
  stripVTControlCharacters(await renderHelp({ words, command: it }, width))

test('an alias that is a word has two dashes, a letter has one', async () => {
  const text = await help(80)
  assert.match(text, '-m, --minute, --minutes=<n>')
  assert.not.match(text, / -minute/)
  assert.match(text, '--kind=<green|black>')
  assert.match(text, 'What kind of tea (default: black)')
  assert.match(text, '--[no-]milk')
})

test('lines are broken between words, at the width of the terminal', async () => {
  for (const width of [50, 80, 120]) {
    const text = await help(width)
    for (const line of text.split('\n')) assert.ok(line.length <= width, `${width}: ${line}`)
    assert.match(text.replace(/\s+/g, ' '), 'which takes some words more than fit beside the option')
  }
})

test('usage, examples and exit codes have sections of their own', async () => {
  const text = await help(80)
  assert.match(text, /USAGE\n {2}brew tea \[guest\] \[options\]/)
  assert.match(text, /EXAMPLES\n {2}brew tea --kind green +Green tea/)
  const codes = text.split('EXIT CODES\n')[1]!
  assert.match(
    codes,
    /^ {2}0 +drunk\n {2}1 +failed\n {2}2 +wrong usage or settings\n {2}3 +nobody wanted it$/,
  )
})

test('a command with others below it lists them, each with the first sentence of its description', async () => {
  const text = await help(80, ['brew'], { subCommands: { tea: async () => command } })
  assert.match(text, /USAGE\n {2}brew <command>/)
  assert.match(text, /COMMANDS\n {2}tea +Make tea, and keep it warm until somebody comes to drink it\n/)
  assert.match(text, '-v, --version')
})

test('many options stand in their groups', async () => {
  const args = Object.fromEntries(
    [...'abcdefghijkl'].map(name => [
      name.repeat(2),
      { type: 'string', group: name < 'f' ? 'First' : 'Second' },
    ]),
  ) as CommandDef['args']
  const text = await help(80, ['brew', 'tea'], { args: { zz: { type: 'string' }, ...(args as object) } })
  const [first, second, options] = ['FIRST', 'SECOND', 'OPTIONS'].map(title =>
    text.indexOf(title),
  ) as number[]
  assert.ok(first! < second! && second! < options!, text)
  assert.ok(text.indexOf('--zz') > options!)
})

test('every command fits into 80 and 100 columns, and says what it ends with', async () => {
  const check = async (words: string[]) => {
    const { command } = await resolve(words)
    const subCommands = Object.keys((await command.subCommands) ?? {})
    for (const width of [80, 100]) {
      const text = await help(width, ['lambda-nat-proxy', ...words], command)
      for (const line of text.split('\n')) assert.ok(line.length <= width, `${width}: ${line}`)
      assert.is(/\nEXIT CODES\n/.test(text), subCommands.length === 0, words.join(' '))
    }
    for (const name of subCommands) await check([...words, name])
  }
  await check([])
})

test('the options of every example exist', async () => {
  const check = async (words: string[]) => {
    const { command } = await resolve(words)
    const { sections } = await helpPage({ words: ['lambda-nat-proxy', ...words], command })
    for (const [line] of sections.find(({ title }) => title === 'examples')?.rows ?? []) {
      const args = line
        .split(/ (?:<|\||>>) /)[0]!
        .match(/"[^"]*"|\S+/g)!
        .slice(1)
      const named = await resolve(args)
      checkOptions(args.slice(named.words.length - 1), named.command.args as ArgsDef)
    }
    for (const name of Object.keys((await command.subCommands) ?? {})) await check([...words, name])
  }
  await check([])
})

test.run()
