import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { readSettings } from '../../function/settings.ts'

const test = suite("the function's engine")

test('nothing and auto leave the choice to what is there, a name is taken at its word', () => {
  for (const QUIC_ENGINE of [undefined, '', 'auto'])
    assert.is(readSettings({ QUIC_ENGINE }).engine, undefined)
  for (const QUIC_ENGINE of ['native', 'quiche']) assert.is(readSettings({ QUIC_ENGINE }).engine, QUIC_ENGINE)
})

test('another name is refused by code, with the names that there are', () => {
  try {
    readSettings({ QUIC_ENGINE: 'lsquic' })
    assert.unreachable()
  } catch (error) {
    assert.is((error as { code?: string }).code, 'E_EXIT_SETTINGS')
    assert.match(String(error), 'auto, native, quiche')
  }
})

test.run()
