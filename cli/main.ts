import { stripVTControlCharacters } from 'node:util'
import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runCommand } from 'citty'
import { consola } from 'consola'
import { version } from '../package.json'
import { checkOptions } from './config/check-options.ts'
import { CancelledError } from './input/prompt.ts'
import { UsageError } from './input/usage-error.ts'
import { exitCodes } from './output/exit-codes.ts'

const commands = {
  run: () => import('./commands/run.ts'),
  config: () => import('./commands/config.ts'),
  deploy: () => import('./commands/deploy.ts'),
  status: () => import('./commands/status.ts'),
  destroy: () => import('./commands/destroy.ts'),
  cloud: () => import('./commands/cloud.ts'),
  doctor: () => import('./commands/doctor.ts'),
  speedtest: () => import('./commands/speedtest.ts'),
  env: () => import('./commands/env.ts'),
  completion: () =>
    import('./commands/completion.ts').then(({ completionOf }) => ({ default: completionOf(main) })),
}

const main: CommandDef = defineCommand({
  meta: {
    name: 'lambda-nat-proxy',
    version,
    description:
      'A proxy with no servers of its own: SOCKS5 over hole-punched QUIC, out of an AWS Lambda function.',
  },
  subCommands: Object.fromEntries(
    Object.entries(commands).map(([name, load]) => [
      name,
      () => load().then(module => module.default as CommandDef),
    ]),
  ),
})

process.exitCode = await run(process.argv.slice(2))

// --- internal ---

/** Runs a command line and gives its exit code: 0, 1 for a failure, 2 for what was asked wrongly. */
async function run(args: string[]): Promise<number> {
  try {
    const ours = args.slice(0, args.indexOf('--') === -1 ? undefined : args.indexOf('--'))
    if (ours.includes('--version')) {
      process.stdout.write(`${version}\n`)
      return 0
    }
    const path = await resolve(ours)
    const command = path.at(-1)!
    if (ours.includes('--help') || ours.includes('-h')) {
      await printUsage(path)
      return 0
    }
    if (command.subCommands) {
      await printUsage(path)
      const unknown = ours[path.length - 1]
      throw new UsageError(unknown === undefined ? 'no command is given' : `there is no command '${unknown}'`)
    }
    // `bun run … -- --port 1090` may leave its separator in front of the options.
    const rest = args.slice(path.length - 1).filter((arg, i) => !(i === 0 && arg === '--'))
    checkOptions(rest, command.args as ArgsDef | undefined)
    await runCommand(command, { rawArgs: rest })
    return typeof process.exitCode === 'number' ? process.exitCode : 0
  } catch (error) {
    if (error instanceof CancelledError) {
      consola.info(error.message)
      return exitCodes.interrupted
    }
    const wrong = error instanceof UsageError || (error instanceof Error && error.name === 'CLIError')
    consola.error(error instanceof Error ? error.message : String(error))
    if (!wrong && process.env.DEBUG && error instanceof Error) consola.log(error.stack)
    return wrong ? 2 : 1
  }
}

/** Colours are for a terminal alone, and not when NO_COLOR asks for none. */
async function printUsage(path: CommandDef[]): Promise<void> {
  const usage = await renderUsage(path.at(-1)!, path.at(-2))
  const plain = !process.stdout.isTTY || Boolean(process.env.NO_COLOR)
  process.stdout.write(`${plain ? stripVTControlCharacters(usage) : usage}\n`)
}

/** The command that the arguments name, and the commands above it. */
async function resolve(args: string[]): Promise<CommandDef[]> {
  const path: CommandDef[] = [main as CommandDef]
  for (const name of args) {
    const subCommands = path.at(-1)!.subCommands as Record<string, () => Promise<CommandDef>> | undefined
    if (!subCommands || !Object.hasOwn(subCommands, name)) break
    path.push(await subCommands[name]!())
  }
  return path
}
