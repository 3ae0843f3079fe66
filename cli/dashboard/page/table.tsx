import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { formatCount } from '../../client/stats/format.ts'

export interface Column<Row> {
  name: string
  /** What it is sorted by. */
  value: (row: Row) => string | number
  /** What it shows; its value where there is nothing else. */
  show?: (row: Row) => ComponentChildren
  /** Aligned to the right, and sorted from the largest at first. */
  number?: boolean
  /** Left out where there is little room. */
  wide?: boolean
}

export interface TableProps<Row> {
  caption: string
  columns: Column<Row>[]
  rows: Row[]
  keyOf: (row: Row) => string | number
  /** The column that it is sorted by at first, from the largest. */
  sortedBy: string
  /** No more rows than this are drawn. */
  maxRows: number
  empty: string
  classOf?: (row: Row) => string
}

/** A table that is sorted by the column whose head is pressed, the other way round when it is pressed again. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  sortedBy,
  maxRows,
  empty,
  classOf,
}: TableProps<Row>) {
  const [sort, setSort] = useState({ by: sortedBy, down: true })
  const column = columns.find(({ name }) => name === sort.by)!
  const sorted = [...rows].sort((a, b) => compare(column.value(a), column.value(b)) * (sort.down ? -1 : 1))
  const press = ({ name, number = false }: Column<Row>) =>
    setSort(({ by, down }) => ({ by: name, down: by === name ? !down : number }))
  const order = (name: string) => (name !== sort.by ? 'none' : sort.down ? 'descending' : 'ascending')
  const left = sorted.length - maxRows
  if (rows.length === 0) return <p class="empty">{empty}</p>
  return (
    <>
      {/* What scrolls must be reached with the keyboard, too. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: as WAI's pattern for scrolling tables has it */}
      <section class="scroll" aria-label={caption} tabIndex={0}>
        <table>
          <caption class="hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map(each => (
                <th key={each.name} scope="col" aria-sort={order(each.name)} class={classes(each)}>
                  <button type="button" class="sort" onClick={() => press(each)}>
                    {each.name}
                    <span aria-hidden="true" class={`order ${order(each.name)}`} />
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, maxRows).map(row => (
              <tr key={keyOf(row)} class={classOf?.(row) ?? ''}>
                {columns.map(each => (
                  <td key={each.name} class={classes(each)}>
                    {each.show ? each.show(row) : each.value(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {left > 0 && <p class="note">… and {formatCount(left)} more: sort or filter to see them.</p>}
    </>
  )
}

// --- internal ---

const classes = <Row,>({ number, wide }: Column<Row>) =>
  [number && 'number', wide && 'wide'].filter(Boolean).join(' ')

const compare = (a: string | number, b: string | number) =>
  typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
