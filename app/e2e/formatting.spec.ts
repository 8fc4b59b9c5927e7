import { expect } from '@playwright/test'
import { messageList } from './harness/message-list.ts'
import { introduce, test } from './harness/scenario.ts'

test('two people answer each other, with formatting, by menu and by keyboard', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.submit('Shall we meet at the *old* station?')
  await bob.expectMessage('Shall we meet at the old station?')
  await expect(bob.message('old station').locator('em')).toHaveText('old')

  const row = bob.message('old station')
  await row.hover()
  await row.getByRole('button', { name: 'Message actions' }).click()
  await bob.page.getByRole('menuitem', { name: 'Reply' }).click()
  await expect(bob.composer).toBeFocused()
  await bob.page.keyboard.type('Yes:\n')
  await expect(bob.message('Yes:')).toHaveCount(1)
  const quote = alice.message('Yes:').getByRole('button', { name: /^In answer to/ })
  await expect(quote).toHaveText(/You.*Shall we meet at the old station\?/)

  // The answer to an answer, half written, survives the browser.
  await alice.page.getByRole('button', { name: 'Message actions' }).last().focus()
  await alice.page.keyboard.press('Enter')
  await alice.page.keyboard.press('Enter')
  await expect(alice.composer).toBeFocused()
  await alice.page.keyboard.type('at nine')
  await alice.composer.blur()
  await alice.profile.close()
  alice.page = await alice.profile.open()
  await alice.comeBack(relay.url)
  await alice.openConversation('Bob')
  await expect(alice.composer).toHaveValue('at nine')
  await alice.composer.press('Enter')
  await expect(bob.message('at nine').getByRole('button', { name: /^In answer to/ })).toHaveText(/You.*Yes:/)

  await bob
    .message('at nine')
    .getByRole('button', { name: /^In answer to/ })
    .click()
  await expect(bob.message('Yes:').first().getByRole('button', { name: 'Message actions' })).toBeFocused()
})

/** What somebody might send to break a page, its layout, or the trust in what it shows. */
const crafted: Readonly<Record<string, string>> = {
  markup: '<img src=x onerror="document.title=\'ran\'"><script>document.title="ran"</script>',
  'a link that runs': 'javascript:document.title="ran" [click](javascript:alert(1))',
  'a host of letters that look alike': 'https://аpple.com/login',
  'a host behind a name': 'https://bank.example@evil.example/',
  'text turned round': 'https://example.org/\u202egnp.exe and \u202e\u2066turned\u202e round',
  'nothing to see': '\u200b\u200d\u2060\ufeff',
  'a tower of accents': `tower a${'\u0301'.repeat(8_000)}`,
  'one long word': 'x'.repeat(16_000),
  depth: `${'> '.repeat(2_500)}${'**_~~'.repeat(2_000)}`,
  'many lines': 'line\n'.repeat(3_000),
  'a name of the language': '__proto__ constructor [object Object]',
}

test('no crafted message breaks the layout, runs, or hides where a link goes', async ({ world }) => {
  const { alice, bob } = await introduce(world)
  for (const text of Object.values(crafted)) {
    await alice.submit(text)
  }
  await alice.submit('after all of that')
  await bob.expectMessage('after all of that', 60_000)
  for (const size of [
    { width: 1280, height: 800 },
    { width: 320, height: 640 },
  ]) {
    await bob.page.setViewportSize(size)
    const rows = messageList(bob.page).getByRole('listitem')
    await expect(rows.last()).toContainText('after all of that')
    const { wide, over } = await messageList(bob.page).evaluate((list) => {
      const scroller = list.closest('.scroller')
      const { left, right } = scroller?.getBoundingClientRect() ?? { left: 0, right: 0 }
      const bubbles = [...list.querySelectorAll('.bubble')].map((bubble) => bubble.getBoundingClientRect())
      return {
        wide: (scroller?.scrollWidth ?? 0) - (scroller?.clientWidth ?? 0),
        over: bubbles.filter((box) => box.left < left || box.right > right).length,
      }
    })
    expect([wide, over]).toEqual([0, 0])
  }
  const seen = await bob.read()
  expect(seen).toHaveLength(Object.keys(crafted).length + 1)
  expect(await bob.page.title()).not.toContain('ran')
  expect(bob.profile.consoleLines).toEqual([])
})

test('a link says where it leads', async ({ world }) => {
  const { alice, bob } = await introduce(world)
  await alice.submit(
    'safe: https://example.org/a_(b), look alike: https://аpple.com/ and none: https://bank@evil.example/',
  )
  await bob.expectMessage('safe:')
  const links = bob.message('safe:').getByRole('link')
  await expect(links).toHaveCount(2)
  await expect(links.first()).toHaveAttribute('href', 'https://example.org/a_(b)')
  await expect(links.first()).toHaveText('https://example.org/a_(b)')
  await expect(links.last()).toHaveText('https://xn--pple-43d.com/')
  await expect(links.last()).toHaveAttribute('rel', 'noopener noreferrer')
})
