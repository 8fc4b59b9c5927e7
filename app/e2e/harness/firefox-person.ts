import type { Page } from 'puppeteer-core'

/** Everything here is waited for as long as in the scenarios of Chromium alone. */
const patienceMs = 20_000

/** An element by role and name, as assistive technology finds it. */
const by = (role: string, name: string): string => `::-p-aria([role="${role}"][name="${name}"])`

/** A person at a Firefox page: what `person.ts` does, as far as a conversation needs it, in the words of another library. */
export class FirefoxPerson {
  /** Replaced when the browser is opened anew. */
  page: Page
  readonly name: string

  constructor(page: Page, name: string) {
    this.page = page
    this.name = name
  }

  /** Opens somebody's invite in a fresh profile: through onboarding into the conversation. */
  async acceptAsNewcomer(link: string): Promise<void> {
    await this.page.goto(link)
    await this.#fill(by('textbox', 'Your name'), this.name)
    await this.#click(by('button', 'Start'))
    await this.#find(by('textbox', 'Message'))
  }

  /** Types and presses Enter; returns when the bubble is on screen, i.e. stored. */
  async send(text: string): Promise<void> {
    await this.#fill(by('textbox', 'Message'), text)
    await this.page.keyboard.press('Enter')
    await this.expectMessage(text)
  }

  async expectMessage(text: string, timeout = patienceMs): Promise<void> {
    await this.#untilShown('[aria-label="Messages"]', text, timeout)
  }

  async expectConnection(connection: string): Promise<void> {
    await this.#untilShown('[role="status"][aria-label="Connection"]', connection, patienceMs)
  }

  async openConversation(withName: string): Promise<void> {
    await this.#untilShown('[aria-label="Conversations"]', withName, patienceMs)
    await this.#click(`::-p-text(${withName})`)
    await this.#find(by('textbox', 'Message'))
  }

  /** Texts of the bubbles that are in the document now, in display order. */
  texts(): Promise<string[]> {
    return this.page.$$eval('[aria-label="Messages"] li[aria-posinset]', (rows) =>
      rows.map((row) => (row as HTMLElement).innerText),
    )
  }

  async #untilShown(selector: string, text: string, timeout: number): Promise<void> {
    try {
      await this.page.waitForFunction(
        (where, what) => document.querySelector(where)?.textContent?.includes(what) === true,
        { timeout, polling: 50 },
        selector,
        text,
      )
    } catch (cause) {
      throw new Error(`“${text}” is not in ${selector} within ${timeout} ms`, { cause })
    }
  }

  async #find(selector: string): Promise<void> {
    await this.page.waitForSelector(selector, { visible: true, timeout: patienceMs })
  }

  async #click(selector: string): Promise<void> {
    await this.page.locator(selector).setTimeout(patienceMs).click()
  }

  async #fill(selector: string, text: string): Promise<void> {
    await this.page.locator(selector).setTimeout(patienceMs).fill(text)
  }
}
