import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { createLog } from '../../function/log.ts'

const test = suite("the function's log")

/** The levels of the lines that come out when one of each is logged under this setting. */
function levelsUnder(setting: string | undefined): string[] {
  return lines(() => {
    const log = createLog(setting)
    log.debug('d')
    log.info('i')
    log.warn('w')
    log.error('e')
  }).map(({ level }) => String(level))
}

function lines(action: () => void): Record<string, unknown>[] {
  const { write } = process.stdout
  const written: string[] = []
  process.stdout.write = text => written.push(String(text)) > 0
  try {
    action()
  } finally {
    process.stdout.write = write
  }
  return written.map(line => {
    assert.match(line, /^[^\n]+\n$/)
    return JSON.parse(line)
  })
}

test("lines are written from Lambda's level up", () => {
  const all = ['DEBUG', 'INFO', 'WARN', 'ERROR']
  for (const [setting, least] of [
    ['TRACE', 0],
    ['DEBUG', 0],
    ['INFO', 1],
    ['WARN', 2],
    ['ERROR', 3],
    ['FATAL', 4],
    ['warn', 2],
  ] as const)
    assert.equal(levelsUnder(setting), all.slice(least), setting)
})

test('INFO is the level when none is set, or one that does not exist', () => {
  for (const setting of [undefined, '', 'LOUD']) assert.equal(levelsUnder(setting), ['INFO', 'WARN', 'ERROR'])
})

test('a line is one JSON object with time, level, message, and the fields of the log and of the line', () => {
  const [line] = lines(() =>
    createLog('INFO', { requestId: 'r' }).with({ session: 's' }).info('two\nlines', { n: 1 }),
  )
  const { timestamp, ...rest } = line!
  assert.equal(rest, { level: 'INFO', message: 'two\ufffdlines', requestId: 'r', session: 's', n: 1 })
  assert.is(new Date(String(timestamp)).toISOString(), timestamp)
})

test('no text, whoever wrote it, acts on the terminal that a log is read on', () => {
  const acting = '\x1b[2J\r\u0085\u009b2J\u202eevil'
  const [line] = lines(() => {
    createLog('INFO').info(acting, { a: acting, [acting]: 1, list: [acting, { b: acting }] })
  })
  assert.not.match(Object.values(line!).map(String).join(), /[\p{Cc}\u202e]/u)
  assert.not.match(JSON.stringify(line), /\\u00|\\[nrt]|[\p{Cc}\u202e]/u)
})

test('a line has an end, however long what is to be told', () => {
  const long = 'x'.repeat(100_000)
  const many = Array.from({ length: 1_000 }, () => long)
  const deep: Record<string, unknown> = {}
  deep.deeper = deep
  const told = lines(() => {
    const log = createLog('INFO', { session: 's' })
    log.info(long)
    log.info('m', { long })
    log.info('m', { many })
    log.info('m', Object.fromEntries(many.map((value, i) => [`key${i}`, value])))
    log.info('m', { deep })
    log.info('m', { number: 1n, nothing: undefined, no: Number.NaN, symbol: Symbol('s') })
  })
  assert.is(told.length, 6)
  for (const line of told) assert.ok(JSON.stringify(line).length < 8_300, `${JSON.stringify(line).length}`)
  assert.is(told[1]!.session, 's')
  assert.is(told[5]!.number, '1')
})

test('of a list or an object the first 32 entries are told', () => {
  const numbers = Array.from({ length: 40 }, (_, i) => i)
  const [list, object] = lines(() => {
    createLog('INFO').info('m', { numbers })
    createLog('INFO').info('m', Object.fromEntries(numbers.map(i => [`n${i}`, i])))
  })
  assert.equal(list!.numbers, numbers.slice(0, 32))
  assert.is(Object.keys(object!).filter(key => /^n\d/.test(key)).length, 32)
})

test.run()
