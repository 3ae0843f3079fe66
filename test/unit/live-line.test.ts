import { stripVTControlCharacters } from 'node:util'
import { type ConsolaOptions, createConsola } from 'consola'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { liveLine } from '../../cli/output/live-line.ts'
import { wrappingReporter } from '../../cli/output/wrapping-reporter.ts'
import { output, running } from '../support/terminal.ts'

/** What makes a terminal forget the rest of a line (ECMA-48, EL). */
const clearRest = '\x1b[K'

const test = suite('the live line')

test('on a terminal one line is written over again and again, no wider than the terminal', () => {
  const { model } = running()
  const { stream, take } = output(true, 30)
  const line = liveLine(model, false, stream)
  line.draw()
  const first = take()
  assert.is(first, `\r0 exits · 0 connections${clearRest}`)
  line.draw()
  assert.is(take(), first)
  line.clear()
  assert.is(take(), `\r${clearRest}`)
  line.clear()
  assert.is(take(), '')
})

test('a narrow terminal gets whole parts of the line, and the costs in brief before none', () => {
  const { model } = running()
  const drawn = (columns: number) => {
    const { stream, take } = output(true, columns)
    liveLine(model, true, stream).draw()
    return take().slice(1, -clearRest.length)
  }
  const parts = ['0 exits', '0 connections', 'down 0 kbit/s, up 0 kbit/s', '0 B in all']
  assert.is(drawn(100), [...parts, '$0 here (on AWS about $0)'].join(' · '))
  assert.is(drawn(80), [...parts, '$0 here'].join(' · '))
  assert.is(drawn(70), parts.join(' · '))
  assert.is(drawn(60), parts.slice(0, 3).join(' · '))
})

test('a line is broken between words at the width of the terminal, with no empty lines around a warning', () => {
  const printed = (isTTY: boolean) => {
    const { stream, take } = output(isTTY, 40)
    const log = createConsola({ fancy: true, stdout: stream, stderr: stream } as Partial<ConsolaOptions>)
    log.options.formatOptions.date = false
    log.setReporters(log.options.reporters.map(wrappingReporter))
    log.warn('one two three four five six seven eight nine')
    return stripVTControlCharacters(take())
  }
  assert.match(printed(true), /^\S+ one two three four five six seven\n {2}eight nine\n$/)
  assert.match(printed(false), 'one two three four five six seven eight nine')
})

test('once closed it stays away', () => {
  const { model } = running()
  const { stream, take } = output(true)
  const line = liveLine(model, false, stream)
  line.draw()
  line.close()
  take()
  line.draw()
  assert.is(take(), '')
})

test('what is no terminal gets nothing of it', () => {
  const { model } = running()
  const { stream, take } = output(false)
  const line = liveLine(model, false, stream)
  line.draw()
  line.close()
  assert.is(take(), '')
})

test('the live line says whether the fleet sleeps', () => {
  const { events, model } = running()
  const { stream, take } = output(true)
  const line = liveLine(model, false, stream)
  for (const [type, shown] of [
    ['fleet.asleep', 'asleep'],
    ['fleet.waking', 'waking'],
  ] as const) {
    events.emit(type === 'fleet.asleep' ? { type, idleMs: 1_000 } : { type })
    line.draw()
    assert.ok(take().startsWith(`\r${shown} · 0 connections`))
  }
})

test.run()
