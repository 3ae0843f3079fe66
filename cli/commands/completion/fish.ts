import { keyOf, steps } from './cases.ts'
import type { CommandNode, OptionNode } from './tree.ts'

/** A script for fish, from 3.0 on. */
export function fishCompletion(program: string, nodes: readonly CommandNode[]): string {
  const name = `__${program.replaceAll('-', '_')}_at`
  const line = (node: CommandNode, rest: string) =>
    `complete -c ${program} -n ${quoted(`${name} ${quoted(keyOf(node))}`)} ${rest}`
  return `# fish completion of ${program}. To use it: ${program} completion fish | source
function ${name}
    set -l at ''
    set -l words (commandline -opc)
    for word in $words[2..-1]
        switch "$at $word"
            case ${steps(nodes).map(quoted).join(' ')}
                set at (string trim -- "$at $word")
            case '*'
                break
        end
    end
    test "$at" = "$argv[1]"
end
complete -c ${program} -f
${nodes
  .flatMap(node => [
    ...node.commands.map(({ name, about }) => line(node, `-a ${quoted(name)} -d ${quoted(about)}`)),
    ...node.options.map(option => line(node, optionFlags(option))),
  ])
  .join('\n')}
`
}

// --- internal ---

const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`

function optionFlags({ names, about, value }: OptionNode): string {
  const spellings = names.map(name =>
    name.startsWith('--') ? `-l ${quoted(name.slice(2))}` : `-s ${quoted(name.slice(1))}`,
  )
  const takes = Array.isArray(value)
    ? [`-x -a ${quoted(value.join(' '))}`]
    : value === 'file'
      ? ['-r -F']
      : value === 'any'
        ? ['-x']
        : []
  return [...spellings, ...takes, `-d ${quoted(about)}`].join(' ')
}
