import { type ArgsDef, type CommandDef, runCommand } from 'citty'
import { consola } from 'consola'
import { CodedError } from '../../tunnel/net/coded-error.ts'
import { checkOptions } from '../input/check-options.ts'
import { errorsIn } from '../input/together.ts'
import { UsageError } from '../input/usage-error.ts'
import { inWords } from './advice.ts'
import { debugStack } from './debug-stack.ts'
import { exitCodes } from './exit-codes.ts'
import { asksForHelp, printHelp } from './help.ts'

/**
 * Runs a script of this repository by the command line of this process, as the program runs a command: with help, and
 * exit code 2 for an option or a word that it does not have. `words`: how one starts it.
 */
export async function runScript<Args extends ArgsDef>(
  words: readonly string[],
  command: CommandDef<Args>,
): Promise<void> {
  const args = process.argv.slice(2)
  try {
    if (asksForHelp(args)) return await printHelp({ words, command: command as CommandDef })
    checkOptions(args, command.args as ArgsDef | undefined)
    await runCommand(command, { rawArgs: args })
  } catch (error) {
    const errors = errorsIn(error)
    for (const each of errors) {
      consola.error(inSentences(each))
      debugStack(each)
    }
    process.exitCode = errors.every(each => each instanceof UsageError) ? exitCodes.usage : exitCodes.failed
  }
}

// --- internal ---

/** An error that has no code is another program's, whose own words say most. */
function inSentences(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof CodedError) return inWords(error).join('\n')
  return 'hint' in error ? `${error.message}. ${error.hint}` : error.message
}
