import { type ArgsDef, runCommand } from 'citty'
import { consola } from 'consola'
import { version } from '../package.json'
import { resolve, unknownCommand } from './commands/program.ts'
import { checkOptions } from './input/check-options.ts'
import { CancelledError } from './input/prompt.ts'
import { errorsIn } from './input/together.ts'
import { UsageError } from './input/usage-error.ts'
import { inData, inWords } from './output/advice.ts'
import { debugStack } from './output/debug-stack.ts'
import { exitCodes } from './output/exit-codes.ts'
import { asksForHelp, printHelp } from './output/help.ts'
import { watchOutput } from './output/watch-output.ts'
import { wrappingReporter } from './output/wrapping-reporter.ts'

// Its times use a 12-hour clock, at a position that depends on the line's length.
consola.options.formatOptions.date = false
consola.setReporters(consola.options.reporters.map(wrappingReporter))
watchOutput(fail)
// A bug ends the process, too, with a message.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => process.exit(fail(error)))
process.exitCode = await run(process.argv.slice(2))

// --- internal ---

/** Runs a command line and gives its exit code: 0, 1 for a failure, 2 for wrong usage. */
async function run(args: string[]): Promise<number> {
  try {
    const ours = args.slice(0, args.indexOf('--') === -1 ? undefined : args.indexOf('--'))
    if (ours.includes('--version') || ours[0] === '-v') {
      process.stdout.write(`${version}\n`)
      return exitCodes.done
    }
    const subject = await resolve(ours)
    const { words, command } = subject
    if (asksForHelp(ours)) {
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

/** Prints an error on the standard error, as JSON where that was asked for, and gives its exit code. */
function fail(error: unknown): number {
  const errors = errorsIn(error)
  for (const each of errors) {
    if (wantsJson()) for (const data of inData(each)) process.stderr.write(`${JSON.stringify(data)}\n`)
    else consola.error(inWords(each).join('\n'))
    debugStack(each)
  }
  return errors.every(each => each instanceof UsageError) ? exitCodes.usage : exitCodes.failed
}

function wantsJson(): boolean {
  return process.argv.some(arg => arg === '--json' || arg === '--json=true')
}
