import { afterEach, describe, expect, it } from 'vitest'
import { TestWorld } from './test-network.fixture.ts'
import { endPeople, pair, soon, talking } from './verification.fixture.ts'
import type { Person } from './person.fixture.ts'
import type { MessageView } from './engine-api.ts'

afterEach(endPeople)

const withText = async (who: Person, id: string, text: string): Promise<MessageView> => {
  await expect.poll(() => who.texts(id), soon).toContain(text)
  const found = (await who.messages(id)).find((message) => message.text === text)
  if (!found) throw new Error(`no “${text}”`)
  return found
}

const answer = async (who: Person, id: string, to: MessageView, text: string): Promise<MessageView> => {
  const outcome = await who.engine.send(id, text, to.messageId)
  if (!outcome.ok) throw new Error(outcome.problem.message)
  return outcome.value
}

describe('an answer', () => {
  it('names the message it answers on both sides, whoever wrote that one', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    const [fromBob, fromAlice] = [await withText(alice, id, 'from bob'), await withText(alice, id, 'from alice')]
    expect((await answer(alice, id, fromBob, 'to yours')).replyTo).toBe(fromBob.messageId)
    await answer(alice, id, fromAlice, 'to mine')
    expect((await withText(bob, id, 'to yours')).replyTo).toBe((await withText(bob, id, 'from bob')).messageId)
    expect((await withText(bob, id, 'to mine')).replyTo).toBe((await withText(bob, id, 'from alice')).messageId)
    expect(await bob.engine.message(id, (await withText(bob, id, 'to mine')).replyTo ?? '')).toMatchObject({
      text: 'from alice',
      mine: false,
    })
  })

  it('names it also when it is encrypted only later, and anew', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    await Promise.all([alice.onboard(), bob.onboard()])
    const fragment = await alice.invite()
    world.relayUp = false
    const id = await bob.accept(fragment)
    const first = await bob.send(id, 'first')
    await answer(bob, id, first, 'second')
    world.relayUp = true
    const received = await withText(alice, id, 'second')
    expect(received.replyTo).toBe((await withText(alice, id, 'first')).messageId)
  })

  it('may name a message that is not here', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    const unknown = `00${'ab'.repeat(16)}`
    expect(await alice.engine.message(id, unknown)).toBeUndefined()
    const outcome = await alice.engine.send(id, 'to nothing', unknown)
    expect(outcome.ok).toBe(true)
    const received = await withText(bob, id, 'to nothing')
    expect(received.replyTo).toBe(`01${'ab'.repeat(16)}`)
    expect(await bob.engine.message(id, received.replyTo ?? '')).toBeUndefined()
  })

  it.each(['', 'xyz', '00ab'])('of “%s” is refused, and what is sent with it goes', async (name) => {
    const { alice, bob, id } = await talking(new TestWorld())
    const [refused] = await Promise.all([alice.engine.send(id, 'to no name', name), alice.send(id, 'beside it')])
    expect(refused.ok).toBe(false)
    await withText(bob, id, 'beside it')
    expect(await bob.texts(id)).not.toContain('to no name')
  })
})

describe('a draft', () => {
  it('remembers what it answers until it is sent', async () => {
    const { alice, id } = await talking(new TestWorld())
    const fromBob = await withText(alice, id, 'from bob')
    await alice.engine.saveDraft(id, 'half an answer', fromBob.messageId)
    expect(alice.conversation(id)).toMatchObject({ draft: 'half an answer', draftReply: fromBob.messageId })
    await alice.close()
    await alice.open()
    await alice.engine.saveDraft(id, 'half an answer, and more', fromBob.messageId)
    expect(alice.conversation(id)?.draftReply).toBe(fromBob.messageId)
    await answer(alice, id, fromBob, 'a whole answer')
    expect(alice.conversation(id)).toMatchObject({ draft: '' })
    expect(alice.conversation(id)?.draftReply).toBeUndefined()
    await alice.engine.saveDraft(id, '', fromBob.messageId)
    await alice.engine.saveDraft(id, '')
    expect(alice.conversation(id)?.draftReply).toBeUndefined()
  })
})
