import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Browser } from 'playwright-core'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { thisPlatform } from '../../cli/build/targets.ts'
import { staged } from '../release/staged.ts'
import { startChromium } from '../support/chromium.ts'
import { patient } from '../support/patience.ts'

const native = thisPlatform()
const limitMs = patient(60_000)
const test = suite<{ folder: string; browser: Browser }>('the dashboard of the executable')

test.before(async context => {
  const browser = await startChromium()
  if (!browser) process.exit(0)
  context.browser = browser
  context.folder = await mkdtemp(join(tmpdir(), 'lambda-nat-proxy-test-'))
})

test.after(async ({ folder, browser }) => {
  await browser.close()
  await rm(folder, { recursive: true, force: true })
})

test('shows an exit that runs, with nothing beside the executable, and leaves nothing behind', async ({
  folder,
  browser,
}) => {
  const temporary = await mkdtemp(join(folder, 'tmp-'))
  const proxy = spawn(
    staged().executable,
    ['run', '--local', '--port', '0', '--dashboard-port', '0', '--json'],
    {
      cwd: temporary,
      env: { PATH: join(temporary, 'none'), HOME: temporary, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    },
  )
  try {
    const ended = once(proxy, 'close')
    let url = ''
    for await (const line of createInterface({ input: proxy.stdout })) {
      const event = JSON.parse(line)
      if (event.type === 'dashboard.ready') url = event.url
      if (event.type === 'proxy.ready') break
    }
    const complaints: string[] = []
    const page = await browser.newPage()
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(error.message))
    await page.goto(url)
    await page.locator('.exit[data-phase="active"]').getByText('local-1').waitFor()
    await page.locator('.chart canvas').first().waitFor()
    assert.equal(complaints, [])
    await page.close()

    assert.is((await fetch(`${url}healthz`)).status, 200)
    const metrics = await (await fetch(`${url}metrics`)).text()
    assert.match(metrics, 'lambda_nat_proxy_exits{region="local-1",state="active"} 1')

    proxy.stdout.resume()
    proxy.kill('SIGINT')
    assert.equal(await ended, [0, null])
    assert.equal(
      (await readdir(temporary)).filter(name => !name.startsWith('.')),
      [],
    )
  } finally {
    proxy.kill('SIGKILL')
  }
})

if (native) test.run()
else console.error(`*** LEFT OUT: there is no executable for ${process.platform}-${process.arch}`)
