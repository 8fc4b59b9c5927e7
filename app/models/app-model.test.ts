import { describe, expect, it, vi } from 'vitest'
import { AppModel } from './app-model.ts'
import { conversation, createFixtureEngine, history, readyState, relay } from './engine.fixture.ts'
import { createFixtureWorld } from './world.fixture.ts'

const fragment = 'A'.repeat(200)
const bob = conversation({ messages: 3 })
const carol = conversation({ conversationId: 'c1', contactId: '0b', name: 'Carol', unread: 2 })
const fresh = { ...readyState([]), profile: null }

const start = async (state = readyState([bob, carol]), invite: string | null = null) => {
  const engine = createFixtureEngine(state, history(3, Date.now()))
  const world = createFixtureWorld()
  const app = new AppModel(engine, world, invite)
  await app.start()
  return { engine, world, app }
}

describe('AppModel', () => {
  it('leads a newcomer with an invite through onboarding into the conversation', async () => {
    const { engine, app } = await start(fresh, fragment)
    expect(app.phase.value).toBe('onboarding')
    const onboarding = app.onboarding.value
    await vi.waitFor(() => expect(onboarding?.invited.value).toBe('yes'))
    onboarding?.editName('Alice')
    await onboarding?.start()
    expect(app.phase.value).toBe('ready')
    engine.emit({ kind: 'conversation', conversation: bob })
    expect(app.conversation.value?.conversationId.value).toBe('c0')
  })

  it('takes an invite that comes while the name is being chosen, and keeps the name', async () => {
    const { app } = await start(fresh)
    app.onboarding.value?.editName('Alice')
    app.offerInvite(fragment)
    await vi.waitFor(() => expect(app.onboarding.value?.invited.value).toBe('yes'))
    expect(app.onboarding.value?.name.value).toBe('Alice')
  })

  it('says so when the invite is damaged, and goes on without it', async () => {
    const { app } = await start(fresh, '')
    await vi.waitFor(() => expect(app.onboarding.value?.invited.value).toBe('unreadable'))
    app.onboarding.value?.editName('Alice')
    await app.onboarding.value?.start()
    expect(app.phase.value).toBe('ready')
    expect(app.dialog.value).toBeNull()
  })

  it('offers the invite again when it could not be followed', async () => {
    const { engine, app } = await start(fresh, fragment)
    await vi.waitFor(() => expect(app.onboarding.value?.invited.value).toBe('yes'))
    engine.acceptInvite = () =>
      Promise.resolve({ ok: false, problem: { code: 'relay-unreachable', message: 'The relay does not answer.' } })
    app.onboarding.value?.editName('Alice')
    await app.onboarding.value?.start()
    expect(app.dialog.value).toBe('link')
    expect(app.link.problem.value).toBe('The relay does not answer.')
  })

  it('says so when an account was made here and is not stored any more, and goes on with the invite', async () => {
    const { world, app: first } = await start(fresh)
    first.onboarding.value?.editName('Alice')
    await first.onboarding.value?.start()
    const app = new AppModel(createFixtureEngine(fresh, []), world, null)
    await app.start()
    expect(app.phase.value).toBe('lost')
    app.offerInvite(fragment)
    expect(app.phase.value).toBe('lost')
    app.beginAnew()
    expect(app.phase.value).toBe('onboarding')
    await vi.waitFor(() => expect(app.onboarding.value?.invited.value).toBe('yes'))
  })

  it('says why what was stored is gone, where the browser knows', async () => {
    const { app } = await start({ ...fresh, lossReason: 'checksum mismatch' })
    expect(app.phase.value).toBe('lost')
    expect(app.lossReason.value).toBe('checksum mismatch')
  })

  it('marks a browser whose account is older than the mark', async () => {
    const { world } = await start()
    expect(world.accountMark.isSet()).toBe(true)
  })

  it('greets somebody as new whose account could not be made', async () => {
    const { engine, world, app } = await start(fresh)
    engine.failNext = { code: 'relay-unreachable', message: 'The relay does not answer.' }
    app.onboarding.value?.editName('Alice')
    await app.onboarding.value?.start()
    expect(world.accountMark.isSet()).toBe(false)
  })

  it('keeps the name when the account could not be made', async () => {
    const { engine, app } = await start(fresh)
    engine.failNext = { code: 'relay-unreachable', message: 'The relay does not answer.' }
    app.onboarding.value?.editName('Alice')
    await app.onboarding.value?.start()
    expect(app.phase.value).toBe('onboarding')
    expect(app.onboarding.value?.name.value).toBe('Alice')
    expect(app.onboarding.value?.problem.value).toBe('The relay does not answer.')
    expect(app.onboarding.value?.canStart.value).toBe(true)
  })

  it('asks before it follows an invite that an address brought to somebody with an account', async () => {
    const { engine, app } = await start(undefined, fragment)
    const accept = vi.spyOn(engine, 'acceptInvite')
    expect(app.dialog.value).toBe('link')
    expect(app.link.state.value.kind).toBe('asking')
    expect(accept).not.toHaveBeenCalled()
    await app.link.confirm()
    expect(accept).toHaveBeenCalledWith(fragment)
    expect(app.conversation.value?.conversationId.value).toBe('c0')
    expect(app.dialog.value).toBeNull()
  })

  it('closes a conversation by the back gesture, and switches without growing the history', async () => {
    const { world, app } = await start()
    app.openConversation('c0')
    app.openConversation('c1')
    expect(app.conversation.value?.name.value).toBe('Carol')
    world.goBack()
    expect(app.conversation.value).toBeNull()
    expect(world.history.state()).toBeNull()
  })

  it('stores the draft of a conversation that is left', async () => {
    const { engine, app } = await start()
    app.openConversation('c0')
    app.conversation.value?.composer.edit('not yet')
    app.openConversation('c1')
    expect(engine.drafts.get('c0')).toBe('not yet')
  })

  it('says in one word how messages travel', async () => {
    const { engine, world, app } = await start()
    expect(app.connection.value).toBe('Relay')
    engine.emit({ kind: 'relays', relays: [{ ...relay, state: 'reconnecting' }] })
    expect(app.connection.value).toBe('Reconnecting')
    world.online.value = false
    expect(app.connection.value).toBe('Offline')
    app.openConversation('c0')
    engine.emit({ kind: 'conversation', conversation: { ...bob, path: 'direct' } })
    expect(app.connection.value).toBe('Direct')
  })

  it('counts what is unread in the title', async () => {
    const { engine, app } = await start()
    expect(app.title.value).toBe('(2) Sotto')
    engine.emit({ kind: 'conversation', conversation: { ...carol, unread: 0 } })
    expect(app.title.value).toBe('Sotto')
  })

  it('says that nothing can be stored when the engine does not open', async () => {
    const engine = createFixtureEngine(readyState([]))
    engine.open = () => Promise.reject(new Error('no storage'))
    const app = new AppModel(engine, createFixtureWorld(), null)
    await app.start()
    expect(app.phase.value).toBe('storage-failed')
  })
})
