import { stringify } from 'yaml'
import { entry, environmentOf, type Key, keys, sections, type Values } from './settings.ts'

/** A commented configuration file with these values set; the other settings show their default, commented out. */
export function configTemplate(values: Partial<Values>): string {
  const body = Object.entries(sections).map(([section, about]) => {
    const lines = keys.filter(key => key.startsWith(`${section}.`)).flatMap(key => setting(key, values[key]))
    return [`# ${about}.`, `${section}:`, ...lines].join('\n')
  })
  return `${heading}\n${body.join('\n\n')}\n`
}

// --- internal ---

const heading = `# Settings of lambda-nat-proxy. An environment variable overrides this file (for proxy.port it is
# ${environmentOf('proxy.port')[0]}), and a command-line option overrides both.
# "lambda-nat-proxy config show" prints the settings in effect.
`

function setting(key: Key, value: unknown): string[] {
  const { about, example, default: standard } = entry(key)
  const name = key.slice(key.indexOf('.') + 1)
  const line = stringify(
    { [name]: value ?? example ?? standard },
    { collectionStyle: 'flow', lineWidth: 0 },
  ).trim()
  // Flow style would put braces around the whole.
  const plain = line.replace(/^\{\s*|\s*\}$/g, '')
  return [`  # ${about}.`, `  ${value === undefined ? '# ' : ''}${plain}`]
}
