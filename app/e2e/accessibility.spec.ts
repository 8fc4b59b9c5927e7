import { AxeBuilder } from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

/** What a person with a disability would stumble over. */
const serious = new Set(['serious', 'critical'])

const layouts = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } }

/** Contrast is judged on what stands still. */
const still = { reducedMotion: 'reduce' } as const

/** One screen as it stands, in each layout and both themes. */
const check = async (page: Page, screen: string): Promise<void> => {
  for (const [layout, size] of Object.entries(layouts)) {
    await page.setViewportSize(size)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, ...still })
      // Legacy mode stays in this page; the other opens a second tab, which the app would notice.
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
      const found = violations
        .filter(({ impact }) => serious.has(impact ?? ''))
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
      expect(found, `${screen}, ${layout}, ${colorScheme}`).toEqual([])
    }
  }
}

test('axe finds nothing serious on any screen, as desktop and phone, light and dark', async ({ world }) => {
  test.setTimeout(300_000)
  const relay = await world.relay()
  const [alice, bob] = await Promise.all([
    world.person('Alice', { context: still }),
    world.person('Bob', { context: still }),
  ])
  await alice.page.goto(relay.url)
  await expect(alice.page.getByRole('textbox', { name: 'Your name' })).toBeVisible()
  await check(alice.page, 'onboarding')
  await alice.onboard(relay.url)
  await check(alice.page, 'no conversations yet')
  await alice.page.getByRole('button', { name: 'Invite', exact: true }).click()
  await expect(alice.page.getByRole('textbox', { name: 'Invite link' })).toHaveValue(/#i\//)
  await check(alice.page, 'invite')
  const link = await alice.page.getByRole('textbox', { name: 'Invite link' }).inputValue()
  await alice.page.keyboard.press('Escape')

  await bob.page.goto(link)
  await expect(bob.page.getByRole('textbox', { name: 'Your name' })).toBeVisible()
  await check(bob.page, 'onboarding by invite')
  await bob.acceptAsNewcomer(link)
  await expect(alice.conversations).toContainText('Bob')
  await check(alice.page, 'conversations')
  await alice.openConversation('Bob')
  await check(alice.page, 'conversation')
  await alice.send('hello')
  await bob.send('hello back')
  await alice.expectMessage('hello back')
  await check(alice.page, 'conversation with messages')
  await alice.page.getByRole('button', { name: 'Safety number' }).click()
  await check(alice.page, 'safety number')
  await alice.page.getByRole('button', { name: 'Mark as verified' }).click()
  await expect(alice.page.getByRole('dialog')).toContainText('You have verified Bob')
  await check(alice.page, 'verified safety number')
  await alice.page.keyboard.press('Escape')
  await check(alice.page, 'verified contact')
  // Back to the list, where a phone has the settings.
  await alice.page.keyboard.press('Escape')
  await alice.page.getByRole('button', { name: 'Settings' }).click()
  await alice.page.getByRole('button', { name: 'Replace device keys…' }).click()
  await check(alice.page, 'replacing keys')
  await alice.page.keyboard.press('Escape')

  const second = await alice.profile.context.newPage()
  await second.goto(relay.url)
  await expect(second.getByRole('list', { name: 'Conversations' })).toContainText('Bob')
  await check(second, 'a second tab')
})

test('a conversation by keyboard alone', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) await alice.page.keyboard.press(key)
  }
  const tabTo = async (name: RegExp): Promise<void> => {
    const label = (): Promise<string> =>
      alice.page.evaluate(() => {
        const element = document.activeElement
        return element === document.body
          ? ''
          : `${element?.getAttribute('aria-label') ?? ''} ${element?.textContent ?? ''}`
      })
    for (let step = 0; step < 40 && !name.test(await label()); step++) await press('Tab')
    expect(await label()).toMatch(name)
  }
  await alice.page.goto('about:blank')
  await alice.page.goto(relay.url)
  await expect(alice.conversations).toContainText('Bob')
  await tabTo(/Bob/)
  await press('Enter')
  await expect(alice.composer).toBeFocused()
  await alice.page.keyboard.type('typed without a mouse')
  await press('Enter')
  await bob.expectMessage('typed without a mouse')
})
