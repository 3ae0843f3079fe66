import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { table } from '../../cli/output/print.ts'

const test = suite('tables for a terminal')

const rows = [
  ['ID', 'REGION', 'PATH'],
  ['1', 'eu-west-1', 'server-reflexive'],
]

test('a table that fits is shown whole, and so is one for a file', () => {
  const whole = 'ID  REGION     PATH\n1   eu-west-1  server-reflexive'
  assert.is(table(rows, ['PATH'], 31), whole)
  assert.is(table(rows, ['PATH'], Number.POSITIVE_INFINITY), whole)
  assert.is(table(rows, [], 10), whole)
})

test('in a narrow terminal the columns that matter least are left out, and named', () => {
  assert.is(
    table(rows, ['PATH', 'REGION'], 30),
    'ID  REGION\n1   eu-west-1\n\nNo room for PATH: --json has all.',
  )
  assert.is(table(rows, ['PATH', 'REGION'], 1), 'ID\n1\n\nNo room for PATH, REGION: --json has all.')
})

test.run()
