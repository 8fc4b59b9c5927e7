import { setTimeout as pause } from 'node:timers/promises'
import { expect, type Page } from '@playwright/test'
import { untilShown } from '../e2e/harness/message-list.ts'
import { Person } from '../e2e/harness/person.ts'
import { Profile } from '../e2e/harness/profile.ts'
import type { Account, AccountEvents, SeenOnScreen } from './account.ts'
import { Killed } from './engine-account.ts'
import type { Status } from './model.ts'
import { nameIn } from './texts.ts'

/** 3 min: a browser that was frozen, on a machine that runs twenty engines beside it. */
const patienceMs = 180_000

/**
 * 200 s: a little more than anything in here waits for by itself. A page that still says nothing does not run any more: Chromium's
 * main thread has been seen to wait for its compositor for ever. Whoever meets that closes the browser and opens it again.
 */
const hungAfterMs = 200_000

/** 10 min: a conversation of thousands is read by scrolling through it. */
const readWithinMs = 600_000

/** 500 ms: as fast as somebody presses "reload". */
const retryMs = 500

/** Status words as the app says them. */
const statusWords: Readonly<Record<string, Status>> = {
  Waiting: 'waiting',
  Sent: 'sent',
  Delivered: 'delivered',
  Read: 'read',
}

const statusIn = (description: string): Status | undefined =>
  statusWords[/Waiting|Sent|Delivered|Read/.exec(description)?.[0] ?? '']

/** 10 s: then somebody looks what they have opened. */
const openedWithinMs = 10_000

/** In a flood the rows of the list change places under the pointer: whoever has hit another one sees it and presses again. */
const openConversation = async ({ page, conversations }: Person, partner: string): Promise<void> => {
  const entry = conversations.getByRole('listitem').filter({ hasText: partner }).getByText(partner).first()
  const heading = page.getByRole('heading', { name: partner }).first()
  const deadline = performance.now() + patienceMs
  for (;;) {
    await entry.click()
    try {
      return await heading.waitFor({ timeout: openedWithinMs })
    } catch (cause) {
      if (performance.now() > deadline) throw cause
    }
  }
}

class Hung extends Error {
  override readonly name = 'Hung'
}

/** @throws Hung when it takes longer; what was begun is left to itself. */
const within = async <T>(limitMs: number, act: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Hung('the page did not answer')), limitMs)
  try {
    return await Promise.race([act, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

export interface BrowserAccountOptions {
  readonly name: string
  readonly directory: string
  /** Where the app is, which is also where this account lives. */
  readonly url: string
  readonly events: AccountEvents
}

/** An account in a real Chromium with a profile of its own, used as a person uses it. */
export class BrowserAccount implements Account {
  readonly kind = 'browser'
  readonly name: string
  readonly #options: BrowserAccountOptions
  readonly #profile: Profile
  #person: Person | undefined
  /** The conversation on screen. */
  #partner: string | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: BrowserAccountOptions) {
    this.#options = options
    this.name = options.name
    // Nobody looks: what moves on the screen only costs the others their share of the processor.
    this.#profile = new Profile({ directory: options.directory, context: { reducedMotion: 'reduce' } })
  }

  get isUp(): boolean {
    return this.#person !== undefined && this.#profile.isOpen
  }

  async start(): Promise<void> {
    const page = await this.#profile.open()
    page.setDefaultTimeout(patienceMs)
    await this.#load(page)
    this.#partner = undefined
    this.#person = new Person(page, this.name)
    page.on('pageerror', (error) => this.#options.events.problem(this.name, error.message))
  }

  /** The relay that the page comes from may be down as well: a person tries again. */
  async #load(page: Page): Promise<void> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      try {
        await page.goto(this.#options.url)
        return
      } catch (cause) {
        if (performance.now() > deadline) throw cause
        await pause(retryMs)
      }
    }
  }

  onboard(): Promise<void> {
    return this.#alone(async (person) => {
      await person.page.getByRole('textbox', { name: 'Your name' }).fill(this.name)
      await person.page.getByRole('button', { name: 'Start' }).click()
      await person.inviteButton.waitFor()
    })
  }

  invite(): Promise<string> {
    return this.#alone(async (person) => {
      await person.inviteButton.click()
      const box = person.page.getByRole('textbox', { name: 'Invite link' })
      await expect(box).toHaveValue(/#i\/.{40,}/, { timeout: patienceMs })
      const link = await box.inputValue()
      await person.page.keyboard.press('Escape')
      return link.split('#i/')[1] ?? ''
    })
  }

  accept(fragment: string): Promise<void> {
    return this.#alone(async (person) => {
      await person.page.goto(`${this.#options.url}/#i/${fragment}`)
      await person.page.getByRole('button', { name: 'Begin conversation' }).click()
      await person.composer.waitFor()
    })
  }

  knows(partner: string): Promise<boolean> {
    return this.#alone(async ({ conversations }) => {
      const found = await conversations.getByRole('listitem').filter({ hasText: partner }).count()
      return found > 0
    })
  }

  send(partner: string, texts: readonly string[], stored: (text: string) => void): Promise<void> {
    return this.#with(partner, async (person) => {
      for (const text of texts) {
        // A bubble shows what is committed, and nothing before. Watched for from before it can be there: in a flood it is soon far
        // above what the window holds.
        const shown = untilShown(person.page, text.split(' ')[0] ?? text, patienceMs)
        const typed = person.composer.fill(text).then(() => person.composer.press('Enter'))
        await Promise.all([shown, typed])
        stored(text)
      }
    })
  }

  read(partner: string): Promise<SeenOnScreen[]> {
    return this.#with(
      partner,
      async (person) =>
        (await person.read()).map(({ text, description }) => {
          const mine = nameIn(text)?.from === this.name
          const status = mine ? statusIn(description) : undefined
          return { text, mine, ...(status ? { status } : {}) }
        }),
      readWithinMs,
    )
  }

  async kill(): Promise<void> {
    this.#person = undefined
    await this.#profile.kill()
  }

  freeze(): void {
    if (this.#profile.isOpen) this.#profile.stop()
  }

  thaw(): void {
    if (this.#profile.isOpen) this.#profile.continue()
  }

  #with<T>(partner: string, act: (person: Person) => Promise<T>, limitMs = hungAfterMs): Promise<T> {
    return this.#alone(async (person) => {
      if (this.#partner !== partner) {
        await openConversation(person, partner)
        this.#partner = partner
      }
      return act(person)
    }, limitMs)
  }

  /** Counted and told at the end of the run, whatever else is wrong. */
  async #startAnew(): Promise<void> {
    this.#options.events.problem(this.name, 'the page did not answer any more, and was opened anew')
    await this.kill()
    await this.start()
  }

  /** One thing at a time, as a person does. @throws Killed when the browser went down meanwhile, or had to be. */
  #alone<T>(act: (person: Person) => Promise<T>, limitMs = hungAfterMs): Promise<T> {
    const step = async (): Promise<T> => {
      const person = this.#person
      if (!person) throw new Killed(`${this.name} is not running`)
      try {
        return await within(limitMs, act(person))
      } catch (cause) {
        if (cause instanceof Hung && this.#person === person) {
          await this.#startAnew()
          throw new Killed(`${this.name} did not answer`)
        }
        // A browser that is open and still refuses has a fault of its own.
        if (this.#person === person && this.#profile.isOpen) throw cause
        throw new Killed(`${this.name} was killed`)
      }
    }
    const turn = this.#turn.then(step, step)
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}
