import { expect, type TestInfo } from '@playwright/test'
import { moments, type Moment } from './harness/moments.ts'
import { introduce, test, type World } from './harness/scenario.ts'
import { Sender } from './harness/sender.ts'

/** One round per moment: so many messages of each person, one crash of the relay and one of a browser. */
const runs = [
  { name: 'each killed at every moment of a message', perRound: 12 },
  { name: 'a thousand messages @slow', perRound: 50 },
]

/**
 * 5 min: what was handed over but never answered is offered again after one minute, then after two more. Everything usually
 * is there at once.
 */
const settledWithinMs = 300_000

/** A number below `below`; which moments were random stands in the log. */
const randomBelow = (below: number): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % below

const live = async (world: World, perRound: number, testInfo: TestInfo): Promise<void> => {
  const perPerson = perRound * moments.length
  const { relay, alice, bob } = await introduce(world)
  const log: string[] = []
  const note = (line: string): void => {
    log.push(line)
    console.log(`    ${line}`)
  }
  const senders = [new Sender(alice, relay.url, 'Bob'), new Sender(bob, relay.url, 'Alice')] as const

  const crashRelay = async (round: number): Promise<void> => {
    const [killer, other] = round % 2 === 0 ? senders : [senders[1], senders[0]]
    const last = round * perRound + perRound / 2
    const at = killer.next + randomBelow(last - killer.next)
    const strike = async (text: string): Promise<void> => {
      await killer.person.submit(text)
      const otherAt = other.text(other.next)
      await relay.kill()
      await relay.start()
      note(`round ${round + 1}: relay killed after ${text}, other side at ${otherAt}`)
    }
    await Promise.all([killer.sendUntil(last, at, strike), other.sendUntil(last)])
  }

  const crashBrowser = async (round: number, moment: Moment): Promise<void> => {
    const [sender, receiver] = round % 2 === 0 ? senders : [senders[1], senders[0]]
    const last = (round + 1) * perRound
    const at = sender.next + randomBelow(last - sender.next)
    const strike = async (text: string): Promise<void> => {
      const seen = await moment.strike(text, sender, receiver, relay)
      const victim = moment.victim === 'sender' ? sender : receiver
      note(`round ${round + 1}: ${victim.person.name}'s browser killed at ${moment.stop} of ${text}: ${seen}`)
    }
    await Promise.all([sender.sendUntil(last, at, strike), receiver.sendUntil(last)])
  }

  for (const [round, moment] of moments.entries()) {
    await crashRelay(round)
    await crashBrowser(round, moment)
  }

  // Who had sent everything when the last kill came has not opened the browser again.
  for (const sender of senders) if (!sender.person.profile.isOpen) await sender.reopen()

  expect(log, 'every crash has happened').toHaveLength(2 * moments.length)
  const sentMs = Date.now()
  const expected = Array.from({ length: perPerson }, (_, index) => index + 1)
  try {
    for (const viewer of senders) {
      for (const sender of senders) {
        const missing = async (): Promise<number[]> => {
          const seen = new Set(await viewer.numbersOf(sender.prefix))
          return expected.filter((number) => !seen.has(number))
        }
        const what = `${sender.prefix} as ${viewer.person.name} sees it`
        await expect
          .poll(missing, { message: `missing of ${what}`, timeout: settledWithinMs, intervals: [5_000] })
          .toEqual([])
        expect(await viewer.numbersOf(sender.prefix), what).toEqual(expected)
      }
    }
  } catch (error) {
    for (const { person } of senders) {
      const undelivered = (await person.read()).filter(({ description }) => /Waiting|Sent/.test(description))
      note(
        `${person.name}: ${undelivered.map(({ text, description }) => `${text.split('\n')[0]} ${description}`).join(', ')}`,
      )
      note(`${person.name}: ${await person.diagnostics()}`)
    }
    throw error
  }
  note(`everything read on both sides ${Math.round((Date.now() - sentMs) / 1000)} s after the last message`)
  await testInfo.attach('crashes.log', { body: log.join('\n'), contentType: 'text/plain' })
}

for (const { name, perRound } of runs) {
  test(`nothing is lost, doubled or out of order when relay and browsers are killed: ${name}`, async ({
    world,
  }, testInfo) => {
    test.setTimeout(1_500_000)
    await live(world, perRound, testInfo)
  })
}
