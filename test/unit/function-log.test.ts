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
  assert.equal(rest, { level: 'INFO', message: 'two\nlines', requestId: 'r', session: 's', n: 1 })
  assert.is(new Date(String(timestamp)).toISOString(), timestamp)
})

test.run()
