import { choices, keyOf, quoted, steps, takers } from './cases.ts'
import type { CommandNode } from './tree.ts'

/** A script for zsh: to be sourced, or a file on fpath. */
export function zshCompletion(program: string, nodes: readonly CommandNode[]): string {
  const name = `_${program.replaceAll('-', '_')}`
  const cases = (keys: string[]) => keys.map(quoted).join('|')
  return `#compdef ${program}
# zsh completion of ${program}. To use it: source <(${program} completion zsh), after compinit
${name}() {
  local at='' previous=$words[CURRENT-1] i
  local -a commands options
  for ((i = 2; i < CURRENT; i++)); do
    case "$at $words[i]" in
    (${cases(steps(nodes))}) at="\${at:+$at }$words[i]" ;;
    (*) break ;;
    esac
  done
  if [[ $words[CURRENT] == --*=* ]]; then
    previous=\${words[CURRENT]%%=*}
    compset -P '*='
  fi
  case "$at $previous" in
${choices(nodes)
  .map(({ words, takers }) => `  (${cases(takers)}) compadd -- ${words.map(quoted).join(' ')} && return ;;`)
  .join('\n')}
  (${cases(takers(nodes, value => value === 'file'))}) _files && return ;;
  (${cases(takers(nodes, value => value === 'any'))}) return 1 ;;
  esac
  case "$at" in
${nodes
  .map(
    node => `  (${quoted(keyOf(node))})
    commands=(${node.commands.map(described).join(' ')})
    options=(${node.options.flatMap(({ names, about }) => names.map(name => described({ name, about }))).join(' ')})
    ;;`,
  )
  .join('\n')}
  esac
  (( i == CURRENT && $#commands )) && _describe -t commands command commands
  _describe -o -t options option options
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  ${name} "$@"
else
  compdef ${name} ${program}
fi
`
}

// --- internal ---

const described = ({ name, about }: { name: string; about: string }) =>
  quoted(about ? `${name}:${about}` : name)
