import { stripVTControlCharacters } from 'node:util'
import { type ArgsDef, type CommandDef, defineCommand, runCommand } from 'citty'
import { consola } from 'consola'
import { version } from '../package.json'
import { checkOptions } from './config/check-options.ts'
import { didYouMean } from './input/did-you-mean.ts'
import { CancelledError } from './input/prompt.ts'
import { UsageError } from './input/usage-error.ts'
import { inWords } from './output/advice.ts'
import { exitCodes } from './output/exit-codes.ts'
import { describe, type HelpSubject, renderHelp } from './output/help.ts'

const commands = {
  run: () => import('./commands/run.ts'),
  config: () => import('./commands/config.ts'),
  deploy: () => import('./commands/deploy.ts'),
  status: () => import('./commands/status.ts'),
  exits: () => import('./commands/exits.ts'),
  rotate: () => import('./commands/rotate.ts'),
  ban: () => import('./commands/ban.ts'),
  destroy: () => import('./commands/destroy.ts'),
  login: () => import('./commands/login.ts'),
  cloud: () => import('./commands/cloud.ts'),
  doctor: () => import('./commands/doctor.ts'),
  speedtest: () => import('./commands/speedtest.ts'),
  env: () => import('./commands/env.ts'),
  completion: () =>
    import('./commands/completion.ts').then(({ completionOf }) => ({ default: completionOf(main) })),
  help: async () => ({ default: help }),
  version: async () => ({ default: showVersion }),
}

const help = defineCommand({
  meta: describe({ name: 'help', description: 'Show how to use a command.' }),
  args: {
    command: { type: 'positional', required: false, description: 'The command' },
    subcommand: { type: 'positional', required: false, description: 'And the one below it' },
  },
  async run({ args: { _: words } }) {
    const subject = await resolve(words)
    if (subject.words.length <= words.length) throw unknownCommand(subject, words[subject.words.length - 1]!)
    await printHelp(subject)
  },
})

const showVersion = defineCommand({
  meta: describe({ name: 'version', description: 'Show the version.' }),
  run() {
    process.stdout.write(`${version}\n`)
  },
})

const main: CommandDef = defineCommand({
  meta: describe({
    name: 'lambda-nat-proxy',
    version,
    description:
      'A SOCKS5 and HTTP proxy with no servers of its own: its exits are AWS Lambda functions, reached by hole-punched QUIC.',
    examples: [
      ['run --local', 'Try it on this machine, without an AWS account'],
      ['deploy', 'Deploy the function to AWS'],
      ['run', 'Start the proxy; its exits run in AWS'],
      ['doctor', 'Check whether it works here'],
    ],
  }),
  subCommands: Object.fromEntries(
    Object.entries(commands).map(([name, load]) => [
      name,
      () => load().then(module => module.default as CommandDef),
    ]),
  ),
})

// Its times have twelve hours, and a place that changes with the line's length.
consola.options.formatOptions.date = false
// Whoever reads the output may leave, and a terminal may close: the work goes on to its end, and cleans up.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
// A fault of ours ends the process, in words all the same.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => process.exit(fail(error)))
process.exitCode = await run(process.argv.slice(2))

// --- internal ---

/** Runs a command line and gives its exit code: 0, 1 for a failure, 2 for what was asked wrongly. */
async function run(args: string[]): Promise<number> {
  try {
    const ours = args.slice(0, args.indexOf('--') === -1 ? undefined : args.indexOf('--'))
    if (ours.includes('--version') || ours[0] === '-v') {
      process.stdout.write(`${version}\n`)
      return exitCodes.done
    }
    const subject = await resolve(ours)
    const { words, command } = subject
    if (ours.includes('--help') || ours.includes('-h')) {
      await printHelp(subject)
      return exitCodes.done
    }
    if (command.subCommands) {
      const unknown = ours[words.length - 1]
      if (unknown !== undefined) throw unknownCommand(subject, unknown)
      await printHelp(subject)
      throw new UsageError('no command is given')
    }
    // `bun run … -- --port 1090` may leave its separator in front of the options.
    const rest = args.slice(words.length - 1).filter((arg, i) => !(i === 0 && arg === '--'))
    checkOptions(rest, command.args as ArgsDef | undefined)
    await runCommand(command, { rawArgs: rest })
    return typeof process.exitCode === 'number' ? process.exitCode : exitCodes.done
  } catch (error) {
    if (error instanceof CancelledError) {
      consola.info(error.message)
      return exitCodes.interrupted
    }
    return fail(error)
  }
}

/** Says what went wrong, and gives the exit code for it. */
function fail(error: unknown): number {
  const errors: unknown[] = error instanceof AggregateError ? error.errors : [error]
  for (const each of errors) {
    consola.error(inWords(each).join('\n'))
    if (process.env.DEBUG && each instanceof Error) consola.log(each.stack)
  }
  return errors.every(each => each instanceof UsageError) ? exitCodes.usage : exitCodes.failed
}

/** Colours are for a terminal alone, and not when NO_COLOR asks for none; lines of more than 100 characters read badly. */
async function printHelp(subject: HelpSubject): Promise<void> {
  const width = process.stdout.columns || Number(process.env.COLUMNS) || 80
  const text = await renderHelp(subject, Math.min(width, 100))
  const plain = !process.stdout.isTTY || Boolean(process.env.NO_COLOR)
  process.stdout.write(`${plain ? stripVTControlCharacters(text) : text}\n`)
}

type SubCommands = Record<string, () => Promise<CommandDef>>

/** The command that the arguments name. */
async function resolve(args: string[]): Promise<HelpSubject> {
  const words = ['lambda-nat-proxy']
  let command: CommandDef = main
  for (const name of args) {
    const subCommands = command.subCommands as SubCommands | undefined
    if (!subCommands || !Object.hasOwn(subCommands, name)) break
    words.push(name)
    command = await subCommands[name]!()
  }
  return { words, command }
}

function unknownCommand({ words, command }: HelpSubject, given: string): UsageError {
  const names = Object.keys((command.subCommands ?? {}) as SubCommands)
  const path = words.slice(1).join(' ')
  if (given.startsWith('-'))
    return new UsageError(
      `'${given}' needs a command before it: ${[path, names[0]].join(' ').trim()}, for example`,
    )
  if (names.length === 0) return new UsageError(`there is no command '${given}' below '${path}'`)
  return new UsageError(
    `there is no command '${[path, given].join(' ').trim()}'${didYouMean(given, names)} See --help.`,
  )
}
