import { setTimeout as pause } from 'node:timers/promises'
import { expect } from '@playwright/test'
import type { RelayProcess } from './relay-process.ts'
import type { Sender } from './sender.ts'

/** A moment on a message's way at which a browser is killed. */
export interface Moment {
  /** The stops of a message between which the kill falls: 1 key press … 8 model and receipt. */
  readonly stop: string
  readonly victim: 'sender' | 'receiver'
  /** Submits the text and kills; resolves with what was seen just before. */
  readonly strike: (text: string, sender: Sender, receiver: Sender, relay: RelayProcess) => Promise<string>
}

const type = async (text: string, { person }: Sender): Promise<void> => {
  await person.composer.fill(text)
}

const description = async (text: string, { person }: Sender): Promise<string> => {
  const item = person.message(text)
  const described = await item.getAttribute('aria-description')
  const by = await item.getAttribute('aria-describedby')
  const words = by === null ? '' : await person.page.locator(`[id="${by.split(' ')[0]}"]`).innerText()
  return described ?? words
}

/** How long after Enter the kill comes, to fall into the transaction (which takes 2 to 10 ms here). */
const intoTransactionMs = 4

const afterEnter =
  (delayMs: number): Moment['strike'] =>
  async (text, sender) => {
    await type(text, sender)
    const kill = sender.person.profile.aim()
    // Never answered when the browser dies first.
    void sender.person.page.keyboard.press('Enter').catch(() => undefined)
    await pause(delayMs)
    await kill()
    return `killed ${delayMs} ms after Enter`
  }

/** With relay and receiver frozen the message can be nowhere but here. */
const whileWaiting: Moment['strike'] = async (text, sender, receiver, relay) => {
  const kill = sender.person.profile.aim()
  relay.stop()
  receiver.person.profile.stop()
  try {
    await sender.person.submit(text)
    await sender.person.expectMessage(text)
    const seen = await description(text, sender)
    await kill()
    return `on screen, ${seen}`
  } finally {
    relay.continue()
    receiver.person.profile.continue()
  }
}

/** With the receiver frozen, "Sent" means that the relay has it on disk. */
const onceSent: Moment['strike'] = async (text, sender, receiver) => {
  const kill = sender.person.profile.aim()
  receiver.person.profile.stop()
  try {
    await sender.person.submit(text)
    await expect(sender.person.message(text)).toHaveAccessibleDescription(/Sent/, { timeout: 30_000 })
    const seen = await description(text, sender)
    await kill()
    return `at the relay, ${seen}`
  } finally {
    receiver.person.profile.continue()
  }
}

/** The push lies in the receiver's socket; it wakes for `awakeMs`, or never. */
const whenPushed =
  (awakeMs: number): Moment['strike'] =>
  async (text, sender, receiver) => {
    const kill = receiver.person.profile.aim()
    receiver.person.profile.stop()
    await sender.person.submit(text)
    await expect(sender.person.message(text)).toHaveAccessibleDescription(/Sent/, { timeout: 30_000 })
    if (awakeMs > 0) {
      receiver.person.profile.continue()
      await pause(awakeMs)
    }
    await kill()
    return `pushed, receiver awake for ${awakeMs} ms`
  }

/** It is on the receiver's screen: stored, the acknowledgement just leaving. */
const onceShown: Moment['strike'] = async (text, sender, receiver) => {
  const kill = receiver.person.profile.aim()
  await sender.person.submit(text)
  await receiver.person.expectMessage(text)
  await kill()
  return 'on the receiver’s screen'
}

/** On the receiver's screen, with the sender frozen so that the receipt has not arrived anywhere it is looked at. */
const beforeReceipt: Moment['strike'] = async (text, sender, receiver, relay) => {
  const kill = receiver.person.profile.aim()
  await sender.person.submit(text)
  await receiver.person.expectMessage(text)
  relay.stop()
  sender.person.profile.stop()
  try {
    await kill()
    return 'on the receiver’s screen, receipt nowhere'
  } finally {
    relay.continue()
    sender.person.profile.continue()
  }
}

/** Ten kills that between them fall on every stop of a message's way. */
export const moments: readonly Moment[] = [
  { stop: '1 key press', victim: 'sender', strike: afterEnter(0) },
  { stop: '2–3 model, transaction', victim: 'sender', strike: afterEnter(intoTransactionMs) },
  { stop: '3–4 stored, in the outbox', victim: 'sender', strike: whileWaiting },
  { stop: '4–5 deposited', victim: 'sender', strike: onceSent },
  { stop: '5 pushed, not taken', victim: 'receiver', strike: whenPushed(0) },
  { stop: '6 being taken in', victim: 'receiver', strike: whenPushed(20) },
  { stop: '7 stored, acknowledging', victim: 'receiver', strike: onceShown },
  { stop: '8 shown, receipt pending', victim: 'receiver', strike: beforeReceipt },
  { stop: '3 transaction', victim: 'sender', strike: afterEnter(intoTransactionMs * 3) },
  { stop: '6–7 taken in', victim: 'receiver', strike: whenPushed(100) },
]
