import { expect } from '@playwright/test'
import { test } from './harness/scenario.ts'

test('a finger that rests on a message opens its menu, which stays when the finger is lifted', async ({ world }) => {
  const relay = await world.relay()
  const alice = await world.person('Alice')
  const bob = await world.person('Bob', { context: { hasTouch: true } })
  await alice.onboard(relay.url)
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  await alice.send('touch me')
  await bob.expectMessage('touch me')
  const box = await bob.message('touch me').locator('.bubble').boundingBox()
  if (box === null) throw new Error('the bubble is not on screen')
  const devtools = await bob.profile.context.newCDPSession(bob.page)
  const touchPoints = [{ x: box.x + 20, y: box.y + 10 }]
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints })
  await expect(bob.page.getByRole('menu')).toBeVisible()
  // Two frames after the page has heard of it, whatever follows from it has been drawn.
  await bob.page.evaluate(() => {
    addEventListener('touchend', () =>
      requestAnimationFrame(() => requestAnimationFrame(() => (document.title = 'lifted'))),
    )
  })
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  await expect(bob.page).toHaveTitle('lifted')
  await expect(bob.page.getByRole('menu')).toBeVisible()
  await bob.page.touchscreen.tap(box.x + 20, 100)
  await expect(bob.page.getByRole('menu')).toHaveCount(0)
})
