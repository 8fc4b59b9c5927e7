import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

test('a browser that has lost what it stored says so, and the person can start anew', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.send('before')
  await alice.profile.close()
  const databases = join(alice.profile.directory, 'Default', 'IndexedDB')
  expect(await readdir(databases), 'what is about to be lost').not.toHaveLength(0)
  await rm(databases, { recursive: true })

  alice.page = await alice.profile.open()
  await expect(alice.comeBack(relay.url), 'the harness notices').rejects.toThrow(/has lost what it stored/)
  const gone = alice.page.getByRole('heading', { name: 'What was stored here is gone' })
  await expect(gone).toBeVisible()
  await alice.page.getByRole('button', { name: 'Look again' }).click()
  await expect(gone, 'it is said as long as nothing was done about it').toBeVisible()

  await alice.page.getByRole('button', { name: 'Start anew' }).click()
  await alice.page.getByRole('textbox', { name: 'Your name' }).fill('Alice')
  await alice.page.getByRole('button', { name: 'Start' }).click()
  await expect(alice.inviteButton).toBeVisible()
  await bob.accept(await alice.invite())
  await bob.send('welcome back')
  await alice.openConversation('Bob')
  await alice.expectMessage('welcome back')

  await alice.profile.close()
  alice.page = await alice.profile.open()
  await alice.comeBack(relay.url)
})
