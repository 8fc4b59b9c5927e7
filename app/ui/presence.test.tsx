import { expect, it, vi } from 'vitest'
import { page } from 'vitest/browser'
import { conversation, history, readyState } from '../models/engine.fixture.ts'
import { showApp } from './page.fixture.ts'

const header = () => document.querySelector('.conversation-pane header')?.textContent ?? ''
const row = () => document.querySelector('.conversation-row')?.textContent ?? ''

it('says in the header and at the row whether the contact is there, and when they were last', async () => {
  const bob = conversation({ messages: 1, path: 'direct' })
  const { app, engine } = await showApp(readyState([{ ...bob, here: 'online', seenAtMs: Date.now() }]), history(1, 0))
  app.openConversation('c0')
  await vi.waitFor(() => expect(header()).toContain('Online'))
  expect(row()).toContain('Online')
  engine.emit({ kind: 'conversation', conversation: { ...bob, here: 'away' } })
  await vi.waitFor(() => expect(header()).toContain('Away'))
  expect(row()).toContain('Away')
  engine.emit({ kind: 'conversation', conversation: { ...bob, path: 'relay', seenAtMs: Date.now() - 330_000 } })
  await vi.waitFor(() => expect(header()).toMatch(/Last seen 5/))
  expect(row()).not.toMatch(/Away|Online/)
  engine.emit({ kind: 'conversation', conversation: { ...bob, path: 'relay' } })
  await vi.waitFor(() => expect(header()).not.toMatch(/Online|Away|Last seen/))
})

it('tells the engine whether the person is at the tab, and changes what is shared', async () => {
  const { app, engine, world } = await showApp(readyState([]))
  await vi.waitFor(() => expect(engine.attended).toEqual([true]))
  world.active.value = false
  expect(engine.attended).toEqual([true, false])
  app.openDialog('settings')
  await page.getByRole('switch', { name: /when I am here/ }).click()
  await vi.waitFor(() => expect(app.settings.settings.value.sharePresence).toBe(false))
  await page.getByRole('switch', { name: /when I am writing/ }).click()
  await vi.waitFor(() => expect(app.settings.settings.value.shareTyping).toBe(false))
})
