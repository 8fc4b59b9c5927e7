import { expect, type Locator } from '@playwright/test'
import { messageList } from './harness/message-list.ts'
import type { Person } from './harness/person.ts'
import { introduce, test } from './harness/scenario.ts'

const choose = async (person: Person, text: string, item: string | RegExp): Promise<void> => {
  const row = person.message(text)
  await row.hover()
  await row.getByRole('button', { name: 'Message actions' }).click()
  await person.page
    .getByRole('menu')
    .getByRole(/^Delete|^Edit|^Copy|^Reply/.test(String(item)) ? 'menuitem' : 'menuitemcheckbox', { name: item })
    .click()
}

const reactions = (person: Person, text: string): Locator =>
  person.message(text).getByRole('group', { name: 'Reactions' }).getByRole('button')

test('messages are edited, reacted to and deleted, while both are there and while one is away', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.send('Meet at ate')
  await bob.expectMessage('Meet at ate')

  // By the keyboard: the last own message comes back into the field.
  await alice.composer.press('ArrowUp')
  await expect(alice.composer).toHaveValue('Meet at ate')
  await alice.composer.fill('Meet at eight')
  await alice.composer.press('Enter')
  await expect(alice.composer).toHaveValue('')
  await bob.expectMessage('Meet at eight')
  await bob.message('Meet at eight').getByRole('button', { name: 'edited' }).click()
  await expect(bob.page.getByRole('dialog').getByRole('listitem')).toContainText(['Meet at eight', 'Meet at ate'])
  await bob.page.keyboard.press('Escape')

  await choose(bob, 'Meet at eight', '👍')
  await expect(reactions(alice, 'Meet at eight')).toHaveAccessibleName('👍 by Bob')
  await reactions(alice, 'Meet at eight').click()
  await expect(reactions(bob, 'Meet at eight')).toHaveAccessibleName('👍 by you and Alice')
  await reactions(bob, 'Meet at eight').click()
  await expect(reactions(alice, 'Meet at eight')).toHaveAccessibleName('👍 by you')

  // Bob is away while everything else happens; what comes by the mailbox is the same.
  await alice.send('A secret')
  await bob.expectMessage('A secret')
  await bob.profile.close()
  await alice.send('One more')
  await choose(alice, 'One more', 'Edit')
  await expect(alice.composer).toHaveValue('One more')
  await alice.composer.fill('One less')
  await alice.composer.press('Enter')
  await choose(alice, 'A secret', 'Delete…')
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Delete for both' }).click()
  await expect(alice.message('You deleted this message.')).toBeVisible()
  bob.page = await bob.profile.open()
  await bob.comeBack(relay.url)
  await bob.openConversation('Alice')
  await bob.expectMessage('One less')
  await expect(bob.message('This message was deleted.')).toBeVisible()
  await expect(bob.message('A secret')).toHaveCount(0)

  // On one side alone.
  await choose(bob, 'One less', 'Delete…')
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Delete here only' }).click()
  await expect(bob.message('One less')).toHaveCount(0)
  await expect(messageList(bob.page).getByRole('listitem')).toHaveCount(2)
  await alice.profile.close()
  alice.page = await alice.profile.open()
  await alice.comeBack(relay.url)
  await alice.openConversation('Bob')
  await alice.expectMessage('One less')
  await expect(alice.message('You deleted this message.')).toBeVisible()
  for (const { profile } of [alice, bob]) expect(profile.consoleLines).toEqual([])
})
