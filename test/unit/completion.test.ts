import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandDef } from 'citty'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { bashCompletion } from '../../cli/commands/completion/bash.ts'
import { fishCompletion } from '../../cli/commands/completion/fish.ts'
import { commandTree } from '../../cli/commands/completion/tree.ts'
import { zshCompletion } from '../../cli/commands/completion/zsh.ts'
import { need } from '../support/need.ts'
import { until } from '../support/until.ts'

// The scripts, in the shells that they are for.

const definition: CommandDef = {
  meta: { name: 'brew' },
  subCommands: {
    tea: async () => ({
      meta: { description: "Make tea, the barista's way. It takes a while." },
      args: {
        kind: { type: 'enum', options: ['green', 'black'], description: 'What kind: any will do' },
        recipe: { type: 'string', alias: ['r', 'receipt'], valueHint: 'path', description: 'From a file' },
        minutes: { type: 'string', valueHint: 'n', description: 'How long (default: 3)' },
        milk: { type: 'boolean', default: true, description: 'With milk', negativeDescription: 'Without' },
      },
    }),
    toast: async () => ({ meta: { description: 'Make toast' } }),
    shop: async () => ({
      meta: { description: 'Buy things' },
      subCommands: { bread: async () => ({ args: { rye: { type: 'boolean' } } }), butter: async () => ({}) },
    }),
  },
}

/** What a shell offers for a line whose cursor is at its end. */
type Ask = (script: string, line: string) => Promise<string[]>

const bash: Ask = async (script, line) => {
  const query = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _brew; printf '%s\\n' "\${COMPREPLY[@]}"`
  // As bash itself cuts a line into words.
  const words = line.split(/ |(?<==)|(?==)/)
  return lines(execute('bash', ['--norc', '-c', query, 'bash', script, ...words]))
}

const fish: Ask = async (script, line) =>
  lines(execute('fish', ['-c', 'source $argv[1]; complete -C $argv[2]', script, line])).map(
    text => text.split('\t')[0]!,
  )

/** On a terminal of its own, by the key: zsh completes nowhere else. */
const zsh: Ask = async (script, line) => {
  let said = ''
  const folder = join(script, '..')
  const child = Bun.spawn(['zsh', '-f', '-i'], {
    cwd: folder,
    env: { ...process.env, HOME: folder, TERM: 'dumb', PS1: '> ' },
    terminal: {
      cols: 200,
      rows: 50,
      data(_terminal, data) {
        said += new TextDecoder().decode(data)
      },
    },
  })
  const { terminal } = child
  try {
    const after = async (typed: string, sign: RegExp) => {
      said = ''
      terminal!.write(typed)
      await until(() => sign.test(said), `${sign} from zsh`)
      return said
    }
    await after(
      `autoload -U compinit && compinit -u -d ./dump; source ${script}; setopt no_beep; LISTMAX=999; bindkey '^D' list-choices; bindkey -s '^E' '^Uprint e$((1))nd^M'; zle-line-init() { print -n li$((1))ne }; zle -N zle-line-init\r`,
      // Before its editor begins, a key is the terminal's.
      /li1ne/,
    )
    const answer = await after(`${line}\x04\x05`, /e1nd/)
    // The list follows the line; what one could read from it is the words and what is said of them.
    return answer
      .slice(0, answer.lastIndexOf('print e'))
      .split(/[\r\n]+/)
      .slice(1)
      .filter(text => !text.startsWith('> '))
      .flatMap(text => text.split(/ -- .*$| {2,}|\s/))
      .filter(word => /^[\w-]+$/.test(word))
  } finally {
    child.kill('SIGKILL')
    await child.exited
  }
}

const lines = (text: string) => text.split('\n').filter(Boolean)

function execute(program: string, args: string[]): string {
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', cwd: folder, env })
  assert.is(status, 0, stderr)
  assert.is(stderr, '')
  return stdout
}

const folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder }
const nodes = await commandTree(definition)
await writeFile(join(folder, 'a-file'), '')

const shells = [
  { name: 'bash', write: bashCompletion, ask: bash },
  { name: 'zsh', write: zshCompletion, ask: zsh },
  { name: 'fish', write: fishCompletion, ask: fish },
]

const options = ['--kind', '--recipe', '--receipt', '--minutes', '--milk', '--no-milk', '--help']

for (const { name, write, ask } of shells) {
  const test = suite(`Completion in ${name}`)
  const script = join(folder, `script.${name}`)
  const offers = async (line: string) => new Set(await ask(script, line))
  const includes = (offered: Set<string>, words: string[]) => {
    for (const word of words) assert.ok(offered.has(word), `${word} is not in ${[...offered].join(' ')}`)
  }
  const excludes = (offered: Set<string>, words: string[]) => {
    for (const word of words) assert.not.ok(offered.has(word), `${word} is in ${[...offered].join(' ')}`)
  }
  test.before(() => writeFile(script, write('brew', nodes)))

  test('offers the commands, and those below a command', async () => {
    includes(await offers('brew '), ['tea', 'toast', 'shop'])
    const to = await offers('brew t')
    includes(to, ['tea', 'toast'])
    excludes(to, ['shop', 'bread'])
    const below = await offers('brew shop b')
    includes(below, ['bread', 'butter'])
    excludes(below, ['tea'])
  })

  test('offers the options of the command that it is at', async () => {
    includes(await offers('brew tea --'), options)
    const others = await offers('brew shop bread --')
    includes(others, ['--rye', '--help'])
    excludes(others, ['--kind', '--version'])
    includes(await offers('brew --'), ['--help', '--version'])
  })

  test('offers the values that an option chooses from, and files where it takes one', async () => {
    for (const line of ['brew tea --kind ', 'brew tea --milk --kind ']) {
      const values = await offers(line)
      includes(values, ['green', 'black'])
      excludes(values, ['tea', '--kind'])
    }
    const files = await offers('brew tea --recipe ')
    excludes(files, ['green', 'tea', '--kind'])
    // bash completes files by itself where a script offers nothing.
    if (name !== 'bash') includes(files, ['a-file'])
  })

  test('offers nothing for a value that nobody can guess', async () => {
    excludes(await offers('brew tea --minutes '), ['green', 'tea', '--kind', 'a-file'])
  })

  test.after(() => rm(script))
  if (need([name], [name])) test.run()
}

const test = suite('Completion')

test('takes --option=value apart', async () => {
  const script = join(folder, 'script')
  for (const { name, write, ask } of shells) {
    if (!need([name], [name])) continue
    await writeFile(script, write('brew', nodes))
    const offered = (await ask(script, 'brew tea --kind=g')).map(word => word.replace('--kind=', ''))
    if (name === 'zsh') assert.not.ok(offered.includes('black'))
    else assert.equal(offered, ['green'], name)
  }
})

test('says what a word means in a sentence, without its details', () => {
  const [root, tea] = nodes
  assert.is(root!.commands[0]!.about, "Make tea, the barista's way")
  assert.equal(
    tea!.options.map(({ about }) => about),
    ['What kind', 'From a file', 'How long', 'With milk', 'Without', 'Show how to use it'],
  )
})

test('knows every command and option that the program has', async () => {
  const main = join(import.meta.dir, '../../cli/main.ts')
  const program = (...args: string[]) => execute(process.execPath, [main, ...args])
  const script = join(folder, 'script')
  const check = `source "$1"; COMP_WORDS=(x "$2" --); COMP_CWORD=2; _lambda_nat_proxy; echo "\${COMPREPLY[@]}"`
  await Bun.write(script, program('completion', 'bash'))
  for (const command of ['run', 'deploy', 'doctor']) {
    const shown = [...program(command, '--help').matchAll(/(?<=^| )--[a-z][a-z0-9-]*/gm)].map(
      ([name]) => name,
    )
    const offered = execute('bash', ['-c', check, 'bash', script, command]).trim().split(' ')
    assert.ok(shown.length > 5)
    for (const name of shown) assert.ok(offered.includes(name), `${command} ${name}`)
  }
})

test.after(() => rm(folder, { recursive: true, force: true }))
test.run()
