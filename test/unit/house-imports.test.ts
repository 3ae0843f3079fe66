import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cycleThrough, importsOf, sourceFiles } from '../house/imports.ts'
import { rooms } from '../house/rooms.ts'

const test = suite('The house: imports')

const files = sourceFiles(['cli', 'function', 'tunnel', 'cdktf', 'native'])
const imports = files.flatMap(importsOf)

const isWithin = (file: string, room: string) => file === room || file.startsWith(`${room}/`)
const roomOf = (file: string) =>
  Object.keys(rooms)
    .filter(room => isWithin(file, room))
    .sort((a, b) => b.length - a.length)[0]

test('every file stands in a room', () => {
  assert.equal(
    files.filter(file => !roomOf(file)),
    [],
  )
})

test('no import runs up', () => {
  const offending = imports.filter(({ from, to }) => {
    const room = roomOf(from)
    if (!room || !roomOf(to) || roomOf(to) === room) return false
    return !rooms[room]!.some(below => isWithin(to, below))
  })
  assert.equal(
    offending.map(
      ({ from, to, line }) => `${from}:${line} imports ${to}: ${roomOf(from)} may not use ${roomOf(to)}`,
    ),
    [],
  )
})

test('no room may use what it does not use', () => {
  const unused = Object.entries(rooms).flatMap(([room, allowed]) =>
    allowed
      .filter(below => !imports.some(({ from, to }) => roomOf(from) === room && isWithin(to, below)))
      .map(below => `${room} does not use ${below}`),
  )
  assert.equal(unused, [])
})

test('no file imports itself in a circle', () => {
  const graph = new Map<string, string[]>()
  for (const { from, to } of imports) graph.set(from, [...(graph.get(from) ?? []), to])
  const cycles = files.map(file => cycleThrough(file, graph)?.join(' → ')).filter(Boolean)
  assert.equal(cycles, [])
})

test('a circle is found, and so is the shortest way round it', () => {
  const graph = new Map([
    ['a', ['b', 'c']],
    ['b', ['c']],
    ['c', ['a']],
    ['d', ['a']],
  ])
  assert.equal(cycleThrough('a', graph), ['a', 'c', 'a'])
  assert.is(cycleThrough('d', graph), undefined)
})

test.run()
