import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'

/** Fails where axe-core finds something to complain of on the page as it is; `when` is part of the message. */
export async function checkAccessible(page: Page, when: string): Promise<void> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>('axe.run()')
  const told = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  assert.equal(told, [], when)
}

/** The same, light and dark, wide and narrow, where the page must not be wider than the window either. */
export async function checkAllLooks(page: Page, also?: (width: number) => Promise<void>): Promise<void> {
  for (const width of [1280, 390])
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height: 900 })
      await page.emulateMedia({ colorScheme })
      await checkAccessible(page, `${colorScheme}, ${width} wide`)
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      assert.ok(Number(overflow) <= 0, `at ${width} the page is ${overflow} too wide`)
      await also?.(width)
    }
}
