import { type CommandDef, defineCommand } from 'citty'
import { version } from '../../package.json'
import { didYouMean } from '../input/did-you-mean.ts'
import { UsageError } from '../input/usage-error.ts'
import { describe, type HelpSubject, printHelp } from '../output/help.ts'

/** All commands; each is loaded when it is asked for. */
const commands = {
  run: () => import('./run.ts'),
  config: () => import('./config.ts'),
  deploy: () => import('./deploy.ts'),
  status: () => import('./status.ts'),
  exits: () => import('./exits.ts'),
  rotate: () => import('./rotate.ts'),
  ban: () => import('./ban.ts'),
  reload: () => import('./reload.ts'),
  service: () => import('./service.ts'),
  destroy: () => import('./destroy.ts'),
  login: () => import('./login.ts'),
  cloud: () => import('./cloud.ts'),
  doctor: () => import('./doctor.ts'),
  speedtest: () => import('./speedtest.ts'),
  env: () => import('./env.ts'),
  completion: () =>
    import('./completion.ts').then(({ completionOf }) => ({ default: completionOf(program) })),
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

/** The program itself, as the command above all others. */
export const program: CommandDef = defineCommand({
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

/** The command that the arguments name. */
export async function resolve(args: string[]): Promise<HelpSubject> {
  const words = ['lambda-nat-proxy']
  let command: CommandDef = program
  for (const name of args) {
    const subCommands = command.subCommands as SubCommands | undefined
    if (!subCommands || !Object.hasOwn(subCommands, name)) break
    words.push(name)
    command = await subCommands[name]!()
  }
  return { words, command }
}

/** The error about an argument that names no command below this one. */
export function unknownCommand({ words, command }: HelpSubject, given: string): UsageError {
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

// --- internal ---

type SubCommands = Record<string, () => Promise<CommandDef>>
