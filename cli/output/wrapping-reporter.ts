import type { ConsolaReporter } from 'consola'

/** consola's sign of the kind of a line, and a space. */
const signWidth = 2
const narrowest = 20

/**
 * Has what goes to a terminal broken between words at its width, further lines indented, and warnings and errors on
 * lines like all others, with no empty ones around them. What goes elsewhere stays as it is.
 */
export function wrappingReporter(reporter: ConsolaReporter): ConsolaReporter {
  return {
    log(line, context) {
      const { stdout = process.stdout, stderr = process.stderr } = context.options
      const stream = line.level < 2 ? stderr : stdout
      if (!stream.isTTY || line.type === 'box') return reporter.log(line, context)
      // The last column is left free: some terminals begin a new line when it is written.
      const width = Math.max(narrowest, (stream.columns || 80) - signWidth - 1)
      const indent = line.type === 'log' ? '' : ' '.repeat(signWidth)
      const args = line.args.map(arg => (typeof arg === 'string' ? wrapped(arg, width, indent) : arg))
      reporter.log({ ...line, args, badge: false }, context)
    },
  }
}

// --- internal ---

const wrapped = (text: string, width: number, indent: string) =>
  text
    .split('\n')
    .map(line => {
      const own = /^\s*/.exec(line)![0]
      return own + Bun.wrapAnsi(line.trimStart(), width - own.length).replaceAll('\n', `\n${indent}${own}`)
    })
    .join(`\n${indent}`)
