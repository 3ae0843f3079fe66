import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start } from '../lab/running.ts'

export interface Firefox {
  /** The text of the page at `url`, once it has loaded. */
  textOf(url: string): Promise<string>
  close(): Promise<void>
}

/** Of the browser's answers (WebDriver BiDi), what is looked at. */
interface Answer {
  id: number
  message?: string
  result?: { contexts?: { context: string }[]; result?: { value?: string } }
}

/** Nothing of its own goes out. */
const quiet = {
  'app.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
}

/** Debian's Firefox without a window, with these preferences in a profile of its own that goes with it. Takes any certificate. */
export async function startFirefox(preferences: Record<string, string | number | boolean>): Promise<Firefox> {
  const profile = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
  const lines = Object.entries({ ...quiet, ...preferences }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  )
  await writeFile(join(profile, 'user.js'), lines.join(''))
  const options = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0']
  const browser = start(['firefox-esr', ...options, 'about:blank'], { env: { HOME: profile } })
  const close = async () => {
    await browser.stop()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const [, address] = await browser.line(/WebDriver BiDi listening on (ws:\S+)/)
    const call = await connect(`${address}/session`)
    await call('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
    const [{ context } = { context: '' }] = (await call('browsingContext.getTree', {})).contexts ?? []
    return {
      async textOf(url) {
        await call('browsingContext.navigate', { context, url, wait: 'complete' })
        const expression = 'document.body.innerText'
        const text = { expression, target: { context }, awaitPromise: false }
        return (await call('script.evaluate', text)).result?.value ?? ''
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

// --- internal ---

const newAnswer = () => Promise.withResolvers<NonNullable<Answer['result']>>()

/** Gives a function that has the browser do something; it fails with what the browser says. */
async function connect(address: string) {
  const socket = new WebSocket(address)
  const waiting = new Map<number, ReturnType<typeof newAnswer>>()
  const opened = Promise.withResolvers<void>()
  socket.onopen = () => opened.resolve()
  socket.onclose = () => {
    const ended = new Error('Firefox closed the connection')
    for (const { reject } of [opened, ...waiting.values()]) reject(ended)
  }
  socket.onmessage = ({ data }) => {
    const { id, result, message } = JSON.parse(String(data)) as Answer
    if (result) waiting.get(id)?.resolve(result)
    else waiting.get(id)?.reject(new Error(message))
  }
  await opened.promise
  let last = 0
  return (method: string, params: object) => {
    const id = ++last
    const answer = newAnswer()
    waiting.set(id, answer)
    socket.send(JSON.stringify({ id, method, params }))
    return answer.promise.finally(() => waiting.delete(id))
  }
}
