import axe from 'axe-core'
import { describe, expect, it, vi } from 'vitest'
import { page } from 'vitest/browser'
import { conversation, history, readyState, relay } from '../models/engine.fixture.ts'
import type { SafetyVerdict } from '../models/safety-model.ts'
import type { AppModel } from '../models/app-model.ts'
import { show, showApp } from './page.fixture.ts'
import { ErrorScreen, type Obstacle } from './screens/ErrorScreen.tsx'

const now = Date.now()
const people = [
  conversation({
    messages: 40,
    typing: true,
    here: 'online',
    path: 'direct',
    last: { text: 'see you', mine: true, sentAtMs: now, status: 'read' },
  }),
  conversation({
    conversationId: 'c1',
    contactId: '0001',
    name: 'Carol',
    here: 'away',
    unread: 3,
    last: { text: 'hello', mine: false, sentAtMs: now },
  }),
  conversation({ conversationId: 'c2', contactId: '0002', name: 'Dave', draft: 'half a thought' }),
]
const verified = conversation({
  messages: 40,
  seenAtMs: now - 200_000_000,
  verification: 'verified',
  last: { text: 'see you', mine: true, sentAtMs: now },
})
const changed = conversation({ messages: 42, verification: 'changed', path: 'relay' })
const withNotice = [
  ...history(40, now - 120_000),
  {
    messageId: 'n',
    conversationId: 'c0',
    position: 41,
    mine: true,
    notice: 'keys-changed',
    sentAtMs: now - 60_000,
  } as const,
  {
    messageId: 'h',
    conversationId: 'c0',
    position: 42,
    mine: true,
    text: 'held',
    status: 'waiting',
    sentAtMs: now,
  } as const,
]

const withBob = async (bob: typeof verified, act: (app: AppModel) => void = () => undefined) => {
  const { app, engine } = await showApp(readyState([bob, ...people.slice(1)]), withNotice)
  app.openConversation('c0')
  act(app)
  return { app, engine }
}

const withVerdict = async (verdict: SafetyVerdict) => {
  const { app, engine } = await withBob(verified, (opened) => opened.openDialog('safety'))
  engine.verdict = verdict
  await vi.waitFor(() => expect(app.safety.value?.state.value.kind).toBe('ready'))
  await app.safety.value?.scanned('code')
}

/** A camera that sees nothing, for as long as somebody looks. */
const darkRoom = (): Promise<MediaStream> => {
  const film = document.createElement('canvas')
  const stream = film.captureStream()
  const draw = () => {
    film.getContext('2d')?.fillRect(0, 0, film.width, film.height)
    if (stream.getTracks().some((track) => track.readyState === 'live')) requestAnimationFrame(draw)
  }
  draw()
  return Promise.resolve(stream)
}

const newcomer = { ...readyState([]), profile: null }

const withPeople = async (act: (app: AppModel) => void = () => undefined) => {
  const { app, engine } = await showApp(readyState(people), history(40, now))
  act(app)
  return { app, engine }
}

/** One of everything that a message may hold, from both sides. */
const formatted =
  '**bold** *italic* ~~struck~~ `code` https://user.example/\n> quoted\n- one\n- two\n1. first\n```\nconst a = 1\n```'

const withFormatted = async () => {
  const { app, engine } = await withPeople()
  app.openConversation('c0')
  engine.commit({ text: formatted, replyTo: 'm39', editedAtMs: now, reactions: { mine: '👍', theirs: '❤️' } })
  engine.commit({ text: '', mine: true, deleted: true, status: 'read' })
  engine.commit({ text: formatted, replyTo: 'gone', mine: true, status: 'read' })
  engine.commit({ text: 'long '.repeat(500), mine: true, status: 'read', replyTo: 'm38' })
  await vi.waitFor(() => expect(document.querySelector('.bubble-more')).not.toBeNull())
  return { app, engine }
}

/** Every screen and dialog, by name. */
const screens: Record<string, () => unknown> = {
  onboarding: () => showApp(newcomer),
  'onboarding without a relay': () => showApp(newcomer, [], { world: { findRelays: () => Promise.resolve([]) } }),
  'onboarding by invite': () => showApp(newcomer, [], { invite: 'A'.repeat(200) }),
  'the account is gone': () =>
    showApp({ ...newcomer, lossReason: 'IndexedDB (database was corrupt): checksum mismatch' }, [], {
      world: { accountMark: { isSet: () => true, set: () => undefined } },
    }),
  'no conversations': () => showApp(readyState([])),
  conversations: () => withPeople(),
  conversation: () => withPeople((app) => app.openConversation('c0')),
  'formatted messages, and one that is being answered': async () => {
    const { app, engine } = await withFormatted()
    app.conversation.value?.composer.answer('m38')
    await vi.waitFor(() => expect(document.querySelector('.answering .quote-name')).not.toBeNull())
    return engine
  },
  'the menu of a message': async () => {
    await withFormatted()
    document.querySelector<HTMLElement>('.row-menu[tabindex="0"]')?.click()
    await vi.waitFor(() => expect(document.querySelector('[role=menu]')).not.toBeNull())
  },
  'a message being edited': async () => {
    const { app } = await withFormatted()
    app.conversation.value?.editLast()
    await vi.waitFor(() => expect(document.querySelector('.editing-words')).not.toBeNull())
  },
  'deleting a message': async () => {
    const { app } = await withFormatted()
    const message = app.conversation.value?.messages.messages.value.findLast(({ mine }) => mine)
    if (message) app.conversation.value?.actions.askDelete(message)
    await vi.waitFor(() => expect(document.querySelector('dialog')).not.toBeNull())
  },
  'what a message said before': async () => {
    const { app, engine } = await withFormatted()
    engine.earlier = [{ text: 'first **words**', sentAtMs: now - 60_000 }]
    const message = app.conversation.value?.messages.messages.value.findLast(({ editedAtMs }) => editedAtMs)
    if (message) await app.conversation.value?.actions.showEarlier(message)
    await vi.waitFor(() => expect(document.querySelectorAll('.versions > li')).toHaveLength(2))
  },
  'a message waits': async () => {
    const { app, engine } = await showApp(readyState(people), history(40, now))
    app.openConversation('c0')
    engine.emit({ kind: 'conversation', conversation: conversation({ waiting: 'contact-unreachable', path: 'none' }) })
    await vi.waitFor(() =>
      expect(document.querySelector('.typing-place')?.textContent).toContain('relays can be reached'),
    )
  },
  'new conversation': () => withPeople((app) => app.openConversation('c2')),
  'catching up': async () => {
    const { engine } = await withPeople()
    engine.emit({ kind: 'catching-up', waiting: 120 })
    engine.emit({ kind: 'problem', problem: { code: 'relay-unreachable', message: 'The relay does not answer.' } })
  },
  invite: () => withPeople((app) => app.openDialog('invite')),
  'open a link': () => withPeople((app) => app.openDialog('link')),
  'follow an invite': () => withPeople((app) => app.offerInvite('A'.repeat(200))),
  settings: () => withPeople((app) => app.openDialog('settings')),
  diagnostics: async () => {
    const long = conversation({
      conversationId: 'c3',
      contactId: '0003',
      name: 'W'.repeat(60),
      waiting: 'no-keys',
      path: 'none',
    })
    const { app, engine } = await showApp(readyState([...people, long]))
    engine.emit({ kind: 'relays', relays: [relay, { ...relay, relayId: 'r2', state: 'offline' }] })
    app.openDialog('settings')
    await page.getByRole('button', { name: /^Repair the connection with W/ }).click()
    await expect.element(page.getByText(/^A new session is made/)).toBeVisible()
  },
  'safety number': () =>
    withPeople((app) => {
      app.openConversation('c0')
      app.openDialog('safety')
    }),
  'verified contact': () => withBob(verified),
  'verified safety number': () => withBob(verified, (app) => app.openDialog('safety')),
  'keys have changed': () => withBob(changed),
  'keys have changed, safety number': () => withBob(changed, (app) => app.openDialog('safety')),
  'the safety codes match': () => withVerdict('match'),
  'the safety codes conflict': () => withVerdict('conflict'),
  'the code of other people': () => withVerdict('other-people'),
  'a code from older keys': () => withVerdict('older-here'),
  'scan a safety code': async () => {
    const { app } = await showApp(readyState([verified]), withNotice, { world: { openCamera: darkRoom } })
    app.openConversation('c0')
    app.openDialog('safety')
    app.safety.value?.scan()
    await vi.waitFor(() => expect(document.querySelector('.scanner[aria-busy="false"]')).not.toBeNull(), {
      timeout: 10_000,
    })
  },
  'old keys': async () => {
    const state = readyState(people)
    const profile = { accountId: 'a0', name: 'Alice', keysSinceMs: now - 100 * 86_400_000 }
    const { app } = await showApp({ ...state, profile }, history(40, now))
    app.openDialog('settings')
    await page.getByRole('button', { name: 'Replace device keys…' }).click()
  },
  'two histories': async () => {
    const { app } = await showApp(readyState([{ ...verified, forked: true }]), history(40, now))
    app.openConversation('c0')
  },
  'add a relay': async () => {
    const { app, engine } = await withPeople()
    app.openDialog('settings')
    await page.getByRole('button', { name: 'Add a relay…' }).click()
    engine.failNext = { code: 'relay-choice', message: 'You already live at this relay.' }
    await page.getByRole('textbox', { name: 'Address of the relay' }).fill('relay.example.org')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await expect.element(page.getByText('You already live at this relay.')).toBeVisible()
  },
  'remove a relay': async () => {
    const { app, engine } = await withPeople()
    engine.emit({ kind: 'relays', relays: [relay, { ...relay, relayId: 'r2', name: 'Attic relay', state: 'offline' }] })
    app.openDialog('settings')
    await page.getByRole('button', { name: /^Remove Attic relay/ }).click()
  },
  ...Object.fromEntries(
    (['insecure', 'unsupported', 'storage', 'crashed'] satisfies Obstacle[]).map((obstacle) => [
      `error: ${obstacle}`,
      () => show(<ErrorScreen obstacle={obstacle} onReload={() => undefined} />),
    ]),
  ),
}

/** Contrast is judged on what stands still. */
const settle = () => {
  for (const animation of document.getAnimations()) {
    if (animation.effect?.getTiming().iterations !== Infinity) animation.finish()
  }
}

const layouts = { desktop: [1280, 800], phone: [390, 844], narrow: [320, 568] } as const

for (const [layout, [width, height]] of Object.entries(layouts)) {
  describe.each(Object.entries(screens))(`%s, ${layout}`, (_, open) => {
    it.each(['light', 'dark'])('has nothing that axe objects to and does not overflow: %s', async (theme) => {
      await page.viewport(width, height)
      document.documentElement.lang = 'en'
      document.title = 'Sotto'
      document.documentElement.dataset['theme'] = theme
      await open()
      await vi.waitFor(() => expect(document.querySelector('[aria-busy="true"]')).toBeNull())
      settle()
      const { violations } = await axe.run(document, { resultTypes: ['violations'] })
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([])
      expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(width)
    })
  })
}

describe('names that assistive technology finds', () => {
  const status = page.getByRole('status', { name: 'Connection' })
  const words = () => status.elements().map(({ textContent }) => textContent)

  it('has exactly one Connection, wherever one looks', async () => {
    for (const [width, height] of Object.values(layouts)) {
      await page.viewport(width, height)
      const { app } = await withPeople()
      await expect.poll(words).toEqual(['Relay'])
      app.openConversation('c0')
      await expect.poll(words).toEqual(['Direct'])
    }
  })

  it('says every word of the connection', async () => {
    const { engine, world } = await showApp(readyState([]))
    engine.emit({ kind: 'relays', relays: [{ ...relay, state: 'reconnecting' }] })
    await expect.poll(words).toEqual(['Reconnecting'])
    world.online.value = false
    await expect.poll(words).toEqual(['Offline'])
  })
})
