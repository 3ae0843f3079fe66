import { type Browser, chromium, type LaunchOptions } from 'playwright-core'
import { need } from './need.ts'

/** Debian's Chromium without a window, with a profile of its own that goes with it; undefined when it cannot be had. */
export async function startChromium({
  args = [],
  ...options
}: LaunchOptions = {}): Promise<Browser | undefined> {
  if (!need(['chromium', 'fonts-dejavu-core'], ['chromium'])) return undefined
  return chromium.launch({
    ...options,
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...args,
    ],
  })
}
