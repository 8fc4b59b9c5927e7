import type { Person } from './person.ts'
import type { Profile } from './profile.ts'

/** Somebody who sends numbered messages and, when their browser dies, opens it again and goes on where they see they were. */
export class Sender {
  readonly person: Person & { profile: Profile }
  readonly #url: string
  readonly #partner: string
  #next = 1

  constructor(person: Person & { profile: Profile }, url: string, partner: string) {
    this.person = person
    this.#url = url
    this.#partner = partner
  }

  get prefix(): string {
    return this.person.name.toLowerCase()
  }

  text(number: number): string {
    return `${this.prefix}-${String(number).padStart(3, '0')}`
  }

  /** The number of the next message; what was sent before is on screen, as far as is known. */
  get next(): number {
    return this.#next
  }

  /**
   * Sends until `last` is sent. At message `at` it does `act` instead of plain sending; `act` is given the text and must
   * submit it (or die trying).
   */
  async sendUntil(last: number, at?: number, act?: (text: string) => Promise<void>): Promise<void> {
    let acted = false
    while (this.#next <= last) {
      try {
        if (this.#next === at && act !== undefined && !acted) {
          acted = true
          await act(this.text(this.#next))
        } else {
          await this.person.submit(this.text(this.#next))
        }
        this.#next += 1
      } catch (error) {
        // A browser that is open and still refuses has a fault of its own.
        if (this.person.profile.isOpen) throw error
      }
      if (!this.person.profile.isOpen) await this.reopen()
    }
  }

  /** Opens the browser anew and looks which of the own messages are there. */
  async reopen(): Promise<void> {
    this.person.page = await this.person.profile.open()
    await this.person.comeBack(this.#url)
    await this.person.openConversation(this.#partner)
    const own = await this.numbersOf(this.prefix)
    this.#next = (own.at(-1) ?? 0) + 1
  }

  /** The numbers on this person's screen of the messages with a prefix, in display order. */
  async numbersOf(prefix: string): Promise<number[]> {
    const pattern = new RegExp(`${prefix}-(\\d{3})`)
    return (await this.person.read()).flatMap(({ text }) => {
      const number = pattern.exec(text)?.[1]
      return number === undefined ? [] : [Number(number)]
    })
  }
}
