import type { Component } from './component.ts'

/** The licences of what a release carries, each text once, under the names of all that it is for. */
export function notices(components: readonly Component[]): string {
  const withText = new Map<string, Component[]>()
  for (const component of components) {
    const text = component.texts.join('\n\n')
    withText.set(text, [...(withText.get(text) ?? []), component])
  }
  const sections = [...withText].map(([text, of]) =>
    [...of.map(line), ...(text ? ['', text] : [])].join('\n'),
  )
  return `${[head, ...sections].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

// --- internal ---

const head = 'lambda-nat-proxy is made of its own code, under the licence in LICENSE, and of what follows.'

const line = ({ name, version, licence, homepage }: Component) =>
  `${name} ${version} (${licence})${homepage ? ` ${homepage}` : ''}`
