import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Test } from 'uvu'
import * as assert from 'uvu/assert'
import type { LocalProxy } from './local-proxy.ts'

// docs/clients.md has a table of clients; each of its rows is a test, and each such test has its row.

export interface Rows<T> {
  /** A row: through this proxy the client works in this mode. It fails, too, when nothing went through an exit. */
  works(client: string, mode: string, run: (context: T) => Promise<void>): void
  /** To be called after the rows: the table has no row of this file's that is not among them. */
  complete(): void
}

interface Row {
  client: string
  mode: string
  shownBy: string
}

/** The rows that `test`'s file shows. */
export function clientRows<T extends { proxy: LocalProxy }>(test: Test<T>): Rows<T> {
  const file = basename(process.argv[1] ?? '')
  const listed = readRows().filter(({ shownBy }) => shownBy === file)
  const shown: string[] = []
  return {
    works(client, mode, run) {
      const row = `${client}: ${mode}`
      shown.push(row)
      test(row, async context => {
        assert.ok(
          listed.some(listed => listed.client === client && listed.mode === mode),
          `docs/clients.md has no row | ${client} | ${mode} | yes | ${file} |`,
        )
        await run(context)
      })
    },
    complete() {
      test('the table of clients shows what these tests do, and no more', () => {
        assert.equal(listed.map(({ client, mode }) => `${client}: ${mode}`).sort(), shown.sort())
      })
    },
  }
}

// --- internal ---

function readRows(): Row[] {
  const text = readFileSync(join(import.meta.dir, '../../docs/clients.md'), 'utf8')
  return text
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
    .filter(cells => cells.length === 6 && cells[4]?.endsWith('.test.ts'))
    .map(([, client = '', mode = '', works, shownBy = '']) => {
      assert.is(works, 'yes', `${client}, ${mode}`)
      return { client, mode, shownBy }
    })
}
