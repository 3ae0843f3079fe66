import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { type State, tokenHeader } from '../../client/stats/state.ts'
import { merge } from './merge.ts'

export interface Live {
  /** None before the first word from the proxy. */
  state: State | undefined
  connected: boolean
  /** Replaces an exit, or all of them. Rejects with what to tell the person. */
  rotate(session?: string): Promise<void>
  /** Bans the exit that served a site last. Rejects as rotate does. */
  ban(site: string): Promise<void>
}

/** A stream that the browser has given up is opened anew after this long. Milliseconds. */
const againMs = 2_000

/** Follows the proxy's live stream, and finds it again when it was lost. */
export function useLive(): Live {
  const [state, setState] = useState<State>()
  const [connected, setConnected] = useState(false)
  // A proxy that was started anew has another one: it comes with every stream.
  const token = useRef('')

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let source = open()
    function open() {
      const opened = new EventSource('/api/stream')
      opened.addEventListener('hello', ({ data }) => {
        token.current = JSON.parse(data).token
      })
      opened.addEventListener('state', ({ data }) => {
        setState(JSON.parse(data))
        setConnected(true)
      })
      opened.addEventListener('update', ({ data }) => {
        const update: State = JSON.parse(data)
        setState(known => (known ? merge(known, update) : update))
      })
      opened.addEventListener('error', () => {
        setConnected(false)
        if (opened.readyState !== EventSource.CLOSED) return
        clearTimeout(timer)
        timer = setTimeout(() => {
          source = open()
        }, againMs)
      })
      return opened
    }
    return () => {
      clearTimeout(timer)
      source.close()
    }
  }, [])

  const ask = useCallback(async (operation: string, input: object) => {
    const response = await fetch(`/api/${operation}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [tokenHeader]: token.current },
      body: JSON.stringify(input),
    })
    // What stands before the API answers in plain text: a login that has changed, say.
    if (!response.ok)
      throw new Error(
        await response.json().then(
          ({ message, hint }) => (hint === undefined ? message : `${message}. ${hint}`),
          () => `the proxy answered ${response.status}`,
        ),
      )
  }, [])
  return {
    state,
    connected,
    rotate: session => ask('rotate', session === undefined ? { all: true } : { exit: session }),
    ban: site => ask('ban', { site }),
  }
}
