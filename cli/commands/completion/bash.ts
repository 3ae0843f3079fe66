import { choices, keyOf, quoted, steps, takers } from './cases.ts'
import type { CommandNode } from './tree.ts'

/** A script for bash, from 3.2 on (macOS). */
export function bashCompletion(program: string, nodes: readonly CommandNode[]): string {
  const name = `_${program.replaceAll('-', '_')}`
  const cases = (keys: string[]) => keys.map(quoted).join('|')
  return `# bash completion of ${program}. To use it: source <(${program} completion bash)
${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} at='' i=1 words=''
  COMPREPLY=()
  # bash takes --option=value for three words.
  if [[ $word == '=' ]]; then
    word=''
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
    ${cases(steps(nodes))}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    *) break ;;
    esac
  done
  case "$at $previous" in
${choices(nodes)
  .map(({ words, takers }) => `  ${cases(takers)}) words=${quoted(words.join(' '))} ;;`)
  .join('\n')}
  # No words: files are completed by default.
  ${cases(takers(nodes, value => value === 'file'))}) return ;;
  ${cases(takers(nodes, value => value === 'any'))})
    compopt +o default 2>/dev/null
    return
    ;;
  *)
    case "$at" in
${nodes.map(node => `    ${quoted(keyOf(node))}) words=${quoted(wordsOf(node))} ;;`).join('\n')}
    esac
    ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F ${name} ${program}
`
}

// --- internal ---

const wordsOf = ({ commands, options }: CommandNode) =>
  [...commands.map(({ name }) => name), ...options.flatMap(({ names }) => names)].join(' ')
