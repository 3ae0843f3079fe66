import { useState } from 'preact/hooks'
import { formatDuration } from '../../client/stats/format.ts'
import type { BanState, State } from '../../client/stats/state.ts'
import { type Column, Table } from './table.tsx'

interface BansProps {
  state: State
  /** Bans the exit that served the site last. Gives whether that could be done. */
  onBan: (site: string) => Promise<boolean>
}

/** The sites that do not use some exits, and a way to make another one of them; closed until it is wanted. */
export function Bans({ state: { bans, destinations, now }, onBan }: BansProps) {
  const [site, setSite] = useState('')
  const columns: Column<BanState>[] = [
    { name: 'Site', value: row => row.site },
    {
      name: 'Addresses that it does not use',
      value: ({ addresses }) => addresses.length,
      show: ({ addresses }) => addresses.join(', '),
    },
    {
      name: 'For',
      value: ({ endsAt }) => endsAt,
      show: ({ endsAt }) => formatDuration(Math.max(0, endsAt - now)),
      number: true,
    },
  ]
  return (
    <details class="past">
      <summary>
        {bans.length === 0
          ? 'Ban an exit for a site'
          : `Exits are banned for ${bans.length === 1 ? bans[0]!.site : `${bans.length} sites`}`}
      </summary>
      {bans.length > 0 && (
        <Table
          caption="Sites, and the exits that are banned for them"
          columns={columns}
          rows={bans}
          keyOf={row => row.site}
          sortedBy="For"
          maxRows={50}
          empty=""
        />
      )}
      <form
        class="ban"
        onSubmit={async event => {
          event.preventDefault()
          if (await onBan(site)) setSite('')
        }}
      >
        <label>
          Site{' '}
          <input
            required
            maxLength={1_024}
            placeholder="example.com"
            autocomplete="off"
            list="sites"
            spellcheck={false}
            value={site}
            onInput={event => setSite(event.currentTarget.value)}
          />
        </label>
        <datalist id="sites">
          {destinations.map(({ domain }) => (
            <option key={domain} value={domain} />
          ))}
        </datalist>
        <button type="submit">Ban its exit</button>
        <span class="note">
          The exit that served it last is not used for it for an hour; other sites keep it.
        </span>
      </form>
    </details>
  )
}
