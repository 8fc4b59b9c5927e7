import { beforeEach, describe, expect, it, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'
import { conversation, history, readyState } from '../models/engine.fixture.ts'
import { showApp } from './page.fixture.ts'

const people = [
  conversation({ messages: 5 }),
  conversation({ conversationId: 'c1', contactId: '0001', name: 'Carol' }),
  conversation({ conversationId: 'c2', contactId: '0002', name: 'Dave' }),
]
const open = () => showApp(readyState(people), history(5, Date.now()))
const field = page.getByRole('textbox', { name: 'Message' })
const row = (name: string) => page.getByRole('list', { name: 'Conversations' }).getByRole('button', { name })

beforeEach(() => page.viewport(1280, 800))

describe('keyboard', () => {
  it('sends with Enter and begins a line with Shift and Enter', async () => {
    const { app, engine } = await open()
    app.openConversation('c0')
    await expect.element(field).toHaveFocus()
    await userEvent.keyboard('one{Shift>}{Enter}{/Shift}two{Enter}')
    await vi.waitFor(() => expect(engine.sent).toEqual(['one\ntwo']))
    await expect.element(field).toHaveValue('')
    await expect.element(field).toHaveFocus()
  })

  it('leaves Enter to an input method that composes', async () => {
    const { app, engine, root } = await open()
    app.openConversation('c0')
    await field.fill('にほん')
    const textarea = root.querySelector('textarea')
    textarea?.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }))
    expect(engine.sent).toEqual([])
  })

  it('moves through the list with arrows, opens with Enter, leaves with Escape, and comes back to the row', async () => {
    await open()
    await row('Bob').click()
    await userEvent.keyboard('{Escape}')
    await expect.element(row('Bob')).toHaveFocus()
    await userEvent.keyboard('{ArrowDown}')
    await expect.element(row('Carol')).toHaveFocus()
    await userEvent.keyboard('{End}')
    await expect.element(row('Dave')).toHaveFocus()
    await userEvent.keyboard('{Enter}')
    await expect.element(page.getByRole('heading', { name: 'Dave' })).toBeVisible()
    await userEvent.keyboard('{Alt>}{ArrowUp}{/Alt}')
    await expect.element(page.getByRole('heading', { name: 'Carol' })).toBeVisible()
  })

  it('takes the focus into a dialog and gives it back', async () => {
    await open()
    await page.getByRole('button', { name: 'Invite' }).click()
    await expect.element(page.getByRole('dialog', { name: 'Invite somebody' })).toHaveFocus()
    await userEvent.keyboard('{Escape}')
    await expect.element(page.getByRole('button', { name: 'Invite' })).toHaveFocus()
  })
})

describe('invites', () => {
  it('shows the link with its code, copies it and says so', async () => {
    const { world } = await open()
    await page.getByRole('button', { name: 'Invite' }).click()
    const link = page.getByRole('textbox', { name: 'Invite link' })
    await expect.element(link).toHaveValue(expect.stringMatching(/^https:\/\/sotto\.example\/#i\//))
    await expect.element(page.getByRole('img', { name: /QR/ })).toBeVisible()
    await page.getByRole('button', { name: 'Copy link' }).click()
    await expect.element(page.getByRole('button', { name: 'Copied' })).toBeVisible()
    expect(world.copied).toEqual([(link.element() as HTMLInputElement).value])
  })

  it('opens a pasted link, and says what is wrong with something else', async () => {
    const { app } = await open()
    app.openDialog('link')
    const given = page.getByRole('textbox', { name: 'Link you were given' })
    await given.fill('https://example.org/')
    await page.getByRole('button', { name: 'Open', exact: true }).click()
    await expect.element(page.getByRole('alert').filter({ hasText: 'not an invite' })).toBeVisible()
    await given.fill(`https://sotto.example/#i/${'A'.repeat(200)}`)
    await page.getByRole('button', { name: 'Open', exact: true }).click()
    await expect.element(field).toBeVisible()
  })

  it('says what to do when there is no camera', async () => {
    const { app } = await open()
    app.openDialog('scan')
    await expect.element(page.getByRole('alert').filter({ hasText: 'No camera was found' })).toBeVisible()
  })

  it('reads a code in front of the camera', async () => {
    const { app, engine } = await showApp(readyState(people), history(5, Date.now()), {
      world: { openCamera: () => Promise.resolve(film.captureStream(10)) },
    })
    const film = document.createElement('canvas')
    await page.getByRole('button', { name: 'Invite' }).click()
    await vi.waitFor(() => expect(document.querySelector('.qr svg')).not.toBeNull())
    const code = document.querySelector('.qr svg')
    const invite = (page.getByRole('textbox', { name: 'Invite link' }).element() as HTMLInputElement).value
    const picture = new Image()
    picture.src = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="${code?.getAttribute('viewBox')}" width="600" height="600"><rect width="100%" height="100%" fill="white"/>${code?.innerHTML}</svg>`)}`
    await picture.decode()
    ;[film.width, film.height] = [800, 700]
    const draw = () => {
      const context = film.getContext('2d')
      if (context === null) return
      context.fillStyle = '#777'
      context.fillRect(0, 0, 800, 700)
      context.drawImage(picture, 90, 50)
    }
    draw()
    const timer = setInterval(draw, 50)
    const accept = vi.spyOn(engine, 'acceptInvite')
    app.closeDialog()
    app.openDialog('scan')
    await vi.waitFor(() => expect(accept).toHaveBeenCalledWith(invite.split('#i/')[1]), { timeout: 10_000 })
    clearInterval(timer)
    await expect.element(field).toBeVisible()
  }, 20_000)
})

describe('settings', () => {
  it('asks twice before everything is deleted', async () => {
    const { app, engine } = await open()
    const wipe = vi.spyOn(engine, 'wipe')
    app.openDialog('settings')
    await page.getByRole('button', { name: 'Delete everything on this device…' }).click()
    expect(wipe).not.toHaveBeenCalled()
    await page.getByRole('button', { name: 'Delete everything', exact: true }).click()
    expect(wipe).toHaveBeenCalledOnce()
  })

  it('changes the theme, the receipts and the name', async () => {
    const { app } = await open()
    app.openDialog('settings')
    await page.getByRole('radio', { name: 'Dark' }).click()
    await vi.waitFor(() => expect(app.settings.settings.value.theme).toBe('dark'))
    await page.getByRole('textbox', { name: 'Your name' }).fill('Alice B.')
    await page.getByRole('button', { name: 'Save' }).click()
    await expect.element(page.getByRole('button', { name: 'Saved' })).toBeVisible()
    expect(app.settings.name.value).toBe('Alice B.')
  })
})
