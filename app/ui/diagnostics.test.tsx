import { expect, it, vi } from 'vitest'
import { page } from 'vitest/browser'
import { conversation, history, readyState } from '../models/engine.fixture.ts'
import { showApp } from './page.fixture.ts'

const bob = conversation({ messages: 1, waiting: 'contact-unreachable', path: 'none' })

const place = () => document.querySelector('.typing-place')

it('says above the field what messages wait for, politely, and no more once they do not', async () => {
  const { app, engine } = await showApp(readyState([conversation({ messages: 1 })]), history(1, Date.now()))
  app.openConversation('c0')
  await vi.waitFor(() => expect(place()).not.toBeNull())
  // The place is there before the words, or nothing would be spoken.
  expect(place()?.getAttribute('aria-live')).toBe('polite')
  expect(place()?.textContent).toBe('')
  engine.emit({ kind: 'conversation', conversation: bob })
  await expect.element(page.getByText(/^Waiting: none of Bob’s relays can be reached/)).toBeVisible()
  engine.emit({ kind: 'conversation', conversation: conversation({ messages: 1 }) })
  await vi.waitFor(() => expect(place()?.textContent).toBe(''))
})

it('leaves changed keys to the question that stands there', async () => {
  const view = conversation({ messages: 1, waiting: 'keys-changed', verification: 'changed' })
  const { app } = await showApp(readyState([view]), history(1, Date.now()))
  app.openConversation('c0')
  await expect.element(page.getByRole('button', { name: 'Send anyway' })).toBeVisible()
  expect(place()?.textContent).toBe('')
})

it('tells of a contact why messages wait, asks for a repair, and says what came of it', async () => {
  const { app, engine } = await showApp(readyState([bob]))
  app.openDialog('settings')
  const contacts = page.getByRole('list', { name: 'Contacts' })
  await expect.element(contacts.getByText(/^Waiting: none of Bob’s relays can be reached/)).toBeVisible()
  await expect.element(contacts.getByText(/the two networks do not let a direct connection through/)).toBeVisible()
  await page.getByRole('button', { name: 'Repair the connection with Bob' }).click()
  await expect.element(contacts.getByText(/^A new session is made/)).toBeVisible()
  expect(engine.repaired).toEqual(['c0'])
})

it('hands out a report that names nobody, to the clipboard and as a file', async () => {
  const { app, world } = await showApp(readyState([bob]))
  app.openDialog('settings')
  await page.getByRole('button', { name: 'Copy a report' }).click()
  await expect.element(page.getByText(/^Copied\./)).toBeVisible()
  await page.getByRole('button', { name: 'Save it as a file' }).click()
  await expect.element(page.getByText(/^Saved\./)).toBeVisible()
  for (const text of [world.copied[0], world.saved[0]]) {
    expect(text).toContain('contact 1: Not reached now')
    expect(text).not.toMatch(/Bob|Garden|example|3a7f/)
  }
})
