import { expect, type Locator, type Page } from '@playwright/test'
import { messageList, readConversation, type SeenMessage } from './message-list.ts'

export type Connection = 'Offline' | 'Reconnecting' | 'Relay' | 'Direct'
export type Status = 'Waiting' | 'Sent' | 'Delivered' | 'Read'

/** A person at a page. Everything is found by role and name, as assistive technology finds it. */
export class Person {
  /** Replaced when the browser is opened anew. */
  page: Page
  readonly name: string

  constructor(page: Page, name: string) {
    this.page = page
    this.name = name
  }

  /** The first visit: a display name and nothing else. */
  async onboard(url: string): Promise<void> {
    await this.#introduce(url)
    await expect(this.inviteButton).toBeVisible()
  }

  async #introduce(url: string): Promise<void> {
    await this.page.goto(url)
    await this.page.getByRole('textbox', { name: 'Your name' }).fill(this.name)
    await this.page.getByRole('button', { name: 'Start' }).click()
  }

  get inviteButton(): Locator {
    return this.page.getByRole('button', { name: 'Invite', exact: true })
  }

  /** A fresh invite link, as it stands in the textbox. */
  async invite(): Promise<string> {
    await this.inviteButton.click()
    const box = this.page.getByRole('textbox', { name: 'Invite link' })
    await expect(box).toHaveValue(/#i\/.{40,}/)
    const link = await box.inputValue()
    await this.page.keyboard.press('Escape')
    return link
  }

  /** Opens somebody's invite in a fresh profile: through onboarding into the conversation. */
  async acceptAsNewcomer(link: string): Promise<void> {
    await this.#introduce(link)
    await expect(this.composer).toBeVisible()
  }

  /** Opens somebody's invite in a profile that has an account; the app asks before it follows a link it was sent to. */
  async accept(link: string): Promise<void> {
    await this.page.goto(link)
    await this.page.getByRole('button', { name: 'Begin conversation' }).click()
    await expect(this.composer).toBeVisible()
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message', exact: true })
  }

  get connection(): Locator {
    return this.page.getByRole('status', { name: 'Connection' })
  }

  get conversations(): Locator {
    return this.page.getByRole('list', { name: 'Conversations' })
  }

  /** Opens the app in a browser that has an account; fails at once when the browser has lost what was stored. */
  async comeBack(url: string): Promise<void> {
    await this.page.goto(url)
    const lost = this.page.getByRole('heading', { name: 'What was stored here is gone' })
    await expect(this.inviteButton.or(lost)).toBeVisible({ timeout: 60_000 })
    const shown = (await lost.isVisible()) ? await this.page.getByRole('main').innerText() : ''
    expect(shown, `${this.name}'s browser has lost what it stored`).toBe('')
  }

  async openConversation(withName: string): Promise<void> {
    await this.conversations.getByRole('listitem').filter({ hasText: withName }).getByText(withName).first().click()
    await expect(this.composer).toBeVisible()
  }

  async expectConnection(connection: Connection, timeout = 20_000): Promise<void> {
    await expect(this.connection).toHaveText(connection, { timeout })
  }

  /** Types and presses Enter; returns when the bubble is on screen, i.e. stored. */
  async send(text: string): Promise<void> {
    await this.submit(text)
    await expect(this.message(text)).toBeVisible()
  }

  /** Types and presses Enter, and waits for nothing but the emptied textbox. */
  async submit(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
    await expect(this.composer).toHaveValue('')
  }

  /** The bubble with this text. */
  message(text: string): Locator {
    return messageList(this.page).getByRole('listitem').filter({ hasText: text })
  }

  async expectMessage(text: string, timeout = 20_000): Promise<void> {
    await expect(this.message(text)).toBeVisible({ timeout })
  }

  async expectStatus(text: string, ...statuses: [Status, ...Status[]]): Promise<void> {
    await expect(this.message(text)).toHaveAccessibleDescription(new RegExp(statuses.join('|')))
  }

  /** A receipt that comes by mailbox: these are batched for up to 30 s, so that their time tells little. */
  async expectReceipt(text: string, status: 'Delivered' | 'Read'): Promise<void> {
    const pattern = status === 'Read' ? /Read/ : /Delivered|Read/
    await expect(this.message(text)).toHaveAccessibleDescription(pattern, { timeout: 45_000 })
  }

  /** One more relay to live at, by the address of its page; returns when the app says that it is connected. */
  async addRelay(url: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Settings' }).click()
    await this.page.getByRole('button', { name: 'Add a relay…' }).click()
    await this.#nameRelay('Address of the relay', url, 'Add')
    await expect(this.page.getByRole('dialog').getByText('Connected', { exact: true })).toHaveCount(2)
    await this.page.keyboard.press('Escape')
  }

  /** From the only relay to another one, by the address of its page. */
  async moveRelay(url: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Settings' }).click()
    await this.page.getByRole('button', { name: /^Move away from/ }).click()
    await this.#nameRelay('Address of the relay to move to', url, 'Move')
    await this.page.keyboard.press('Escape')
  }

  async #nameRelay(field: string, url: string, act: string): Promise<void> {
    const dialog = this.page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: field, exact: true }).fill(url)
    await dialog.getByRole('button', { name: act, exact: true }).click()
    const told = dialog.getByRole('status').filter({ hasText: 'Your contacts learn of it by themselves.' })
    await expect(told).toBeVisible()
  }

  /** What the app has to say about unusual events, as it shows it in its settings. */
  async diagnostics(): Promise<string> {
    await this.page.getByRole('button', { name: 'Settings' }).click()
    const text = await this.page.getByRole('dialog').innerText()
    await this.page.keyboard.press('Escape')
    return text.slice(text.indexOf('Diagnostics')).replaceAll('\n', ' ')
  }

  /** The whole conversation on screen, read by scrolling through it. */
  read(): Promise<SeenMessage[]> {
    return readConversation(this.page)
  }
}
