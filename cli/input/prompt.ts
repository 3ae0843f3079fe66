import { createInterface, type Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CodedError } from '../../tunnel/net/coded-error.ts'

// Questions at a terminal, a line each: consola's own prompts lose what is typed under Bun.

/** Interrupted at a question. The program ends as after any other Ctrl-C. */
export class CancelledError extends CodedError<'E_CANCELLED'> {
  override readonly name = 'CancelledError'

  constructor() {
    super('E_CANCELLED', 'Interrupted: nothing was changed.')
  }
}

/** Each throws a CancelledError at Ctrl-C and at the end of the input. */
export interface Prompt extends Disposable {
  /** Asks for a line, and gives it without the blanks around it. */
  text(question: string): Promise<string>
  /** Asks for a yes; anything else is a no. */
  confirm(question: string): Promise<boolean>
  /** Asks for one of these, by number or by name, until it is one; an empty line takes `initial`. */
  choose<T extends string>(question: string, choices: readonly Choice<T>[], initial: T): Promise<T>
}

export interface Choice<T> {
  value: T
  about: string
}

/** Whether a person can be asked. */
export const isTerminal = () => Boolean(process.stdin.isTTY && process.stdout.isTTY)

/** Opens the terminal for questions. */
export function openPrompt(): Prompt {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const ask = askingOn(lines)
  /** What was typed before it was asked for. */
  const early: string[] = []
  lines.on('line', line => early.push(line))

  const prompt: Prompt = {
    async text(question) {
      const typed = early.shift()
      if (typed !== undefined) {
        process.stdout.write(`${question} ${typed}\n`)
        return typed.trim()
      }
      try {
        return (await ask(`${question} `)).trim()
      } catch (error) {
        // The line with the question is not finished.
        process.stdout.write('\n')
        throw error
      }
    },
    confirm: async question => /^y(es)?$/i.test(await prompt.text(`${question} [y/N]`)),
    async choose(question, choices, initial) {
      const rows = choices.map(({ value, about }, i) => `  ${i + 1}) ${value}: ${about}`)
      process.stdout.write(`${question}\n${rows.join('\n')}\n`)
      for (;;) {
        const answer = (await prompt.text(`Number or name [${initial}]:`)).toLowerCase()
        if (answer === '') return initial
        const chosen = choices.find(({ value }, i) => answer === value || answer === String(i + 1))
        if (chosen) return chosen.value
      }
    },
    [Symbol.dispose]: () => lines.close(),
  }
  return prompt
}

/** Asks for lines that are not shown while they are typed. Throws a CancelledError at Ctrl-C and at the end of the input. */
export async function askSecrets(...questions: string[]): Promise<string[]> {
  // From here on the terminal shows nothing of what is typed.
  const lines = createInterface({
    input: process.stdin,
    output: new Writable({ write: (_chunk, _encoding, done) => done() }),
    terminal: true,
  })
  const ask = askingOn(lines)
  const answers: string[] = []
  try {
    for (const question of questions) {
      process.stderr.write(`${question} `)
      try {
        answers.push(await ask(''))
      } finally {
        process.stderr.write('\n')
      }
    }
    return answers
  } finally {
    lines.close()
  }
}

/** One question that takes a yes or a no: see Prompt. */
export async function confirm(question: string): Promise<boolean> {
  using prompt = openPrompt()
  return await prompt.confirm(question)
}

// --- internal ---

/** Asks on these lines. Rejects with a CancelledError once they are closed, as a Ctrl-C does. */
function askingOn(lines: Interface): (question: string) => Promise<string> {
  const cancelled = Promise.withResolvers<never>()
  cancelled.promise.catch(() => {})
  lines.on('SIGINT', () => lines.close())
  lines.on('close', () => cancelled.reject(new CancelledError()))
  return question => Promise.race([lines.question(question), cancelled.promise])
}
