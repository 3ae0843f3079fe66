import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const test = suite('The house: documents')

const root = join(import.meta.dir, '../..')
const pages = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]
const read = (page: string) => readFileSync(join(root, page), 'utf8')

test('every file that a page names is there', () => {
  const path = /`((?:cli|function|tunnel|native|cdktf|test|terraform|docs)\/[\w./-]+)`/g
  const missing = pages.flatMap(page =>
    [...read(page).matchAll(path)]
      .filter(([, named]) => !existsSync(join(root, named!)))
      .map(([, named]) => `${page}: ${named}`),
  )
  assert.equal(missing, [])
})

test('every link to a file leads somewhere', () => {
  const link = /\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g
  const broken = pages.flatMap(page =>
    [...read(page).matchAll(link)]
      .filter(([, to]) => !existsSync(join(root, dirname(page), to!)))
      .map(([, to]) => `${page}: ${to}`),
  )
  assert.equal(broken, [])
})

test('every link to a heading leads to one', () => {
  const link = /\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g
  const links = pages.flatMap(page =>
    [...read(page).matchAll(link)].map(([, to = '', heading = '']) => ({
      page,
      to: to === '' ? page : join(dirname(page), to),
      heading,
    })),
  )
  assert.ok(links.length > 0)
  assert.equal(
    links.filter(({ to, heading }) => !headings(read(to)).includes(heading)),
    [],
  )
})

/** The anchors that GitHub gives to a page's headings. */
const headings = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

test('the README fits: under 150 lines, none over 120 characters', () => {
  const lines = read('README.md').split('\n')
  assert.ok(lines.length <= 150, `${lines.length} lines`)
  assert.equal(
    lines.filter(line => line.length > 120 && !/^!?\[/.test(line)),
    [],
  )
})

test('no line of prose is over 120 characters', () => {
  const isLong = (line: string) => line.length > 120 && !/^(\||!?\[)/.test(line)
  const long = pages.flatMap(page =>
    read(page)
      .split('\n')
      .flatMap((line, i) => (isLong(line) ? [`${page}:${i + 1}`] : [])),
  )
  assert.equal(long, [])
})

test.run()
