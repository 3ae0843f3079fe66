import { formatBytes, formatCount, formatDollars } from '../../client/stats/format.ts'
import type { CostState, State } from '../../client/stats/state.ts'

/** What AWS will charge, about. */
export function Cost({ state: { cost, local } }: { state: State }) {
  const { items } = cost
  const rows: [string, string, number][] = [
    ['Lambda, compute', `${cost.gbSeconds.toFixed(1)} GB-s`, items.compute],
    ['Lambda, requests', formatCount(cost.launches), items.requests],
    ['S3, offers and answers', '', items.storage],
    ['Data out', formatBytes(cost.bytesOut), items.dataOut],
  ]
  return (
    <section aria-labelledby="cost">
      <h2 id="cost">Cost</h2>
      <table>
        <caption class="hidden">Cost by item</caption>
        <thead>
          <tr>
            <th scope="col">Item</th>
            <th scope="col" class="number">
              Amount
            </th>
            <th scope="col" class="number">
              Cost
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, amount, dollars]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{amount}</td>
              <td class="number">{formatDollars(dollars)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{local ? 'On AWS, about' : 'So far'}</th>
            <td />
            <td class="number">{formatDollars(cost.total)}</td>
          </tr>
        </tfoot>
      </table>
      {local && <p>Nothing is charged: the exits run on this machine.</p>}
      <p>
        {cost.perHour === undefined ? (
          'The rate is known after some seconds.'
        ) : (
          <>
            <strong>{formatDollars(cost.perHour)}</strong> an hour{local && ' on AWS'}, as the last minute
            went.
          </>
        )}
      </p>
      <BudgetLine budget={cost.budget} />
      <p class="note">
        An estimate by list prices of {cost.pricesOf}, before tax and without the free tier; they differ from
        region to region.
        {cost.assumedRegion &&
          ` Where the region is not one of Amazon's, those of ${cost.assumedRegion} are taken.`}
      </p>
    </section>
  )
}

// --- internal ---

/** What all runs on this machine have spent of the budget; nothing where there is none. */
function BudgetLine({ budget }: Pick<CostState, 'budget'>) {
  if (!budget) return null
  const { spent, period, state, action, resetsAt } = budget
  const day = new Date(resetsAt).toISOString().slice(0, 10)
  const left = {
    open: '',
    low: ' It is nearly used up.',
    spent:
      action === 'stop'
        ? ` It is used up: exits start again on ${day} (UTC).`
        : ' It is used up; exits go on.',
  }[state]
  return (
    <p data-budget={state} class={state === 'open' ? '' : 'trouble'}>
      <strong>{formatDollars(spent)}</strong> of the budget of {formatDollars(budget.budget)} a {period}, by
      all runs on this machine.{left}
    </p>
  )
}
