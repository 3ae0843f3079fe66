import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { sourceFiles } from '../house/imports.ts'

// The codes of errors are an interface: docs/errors.md lists them, and they stay.

const test = suite('The house: error codes')

const root = join(import.meta.dir, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const codesIn = (text: string) => text.match(/\bE_[A-Z0-9_]*[A-Z0-9]\b/g) ?? []

const sources = sourceFiles(['cli', 'function', 'tunnel'])
const thrown = new Set(sources.flatMap(file => codesIn(read(file))))

test('docs/errors.md has every code, and none that is not there', () => {
  const listed = new Set(codesIn(read('docs/errors.md')))
  assert.equal([...thrown].filter(code => !listed.has(code)).sort(), [], 'codes that docs/errors.md lacks')
  assert.equal(
    [...listed].filter(code => !thrown.has(code)).sort(),
    [],
    'codes of docs/errors.md that no source has',
  )
})

test('other pages name only codes that are there', () => {
  const pages = readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md'))
  const unknown = pages.flatMap(page =>
    codesIn(read(`docs/${page}`))
      .filter(code => ![...thrown].some(known => known === code || known.startsWith(`${code}_`)))
      .map(code => `${page}: ${code}`),
  )
  assert.equal(unknown, [])
})

test('advice is given for codes that some source throws', () => {
  const advised = new Set(codesIn(read('cli/output/advice.ts')))
  const others = new Set(
    sources.filter(file => file !== 'cli/output/advice.ts').flatMap(file => codesIn(read(file))),
  )
  assert.equal(
    [...advised].filter(code => !others.has(code)),
    [],
  )
})

test.run()
