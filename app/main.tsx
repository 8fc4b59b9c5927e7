import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { breathe } from '../signaling/environment.ts'
import { AppModel } from './models/app-model.ts'
import { claimsInvite, inviteIn } from './models/invite-address.ts'
import { TabLeadership, type TabMessage } from './models/tab-leadership.ts'
import { withLeader } from './models/with-leader.ts'
import { createPageWorld } from './page-world.ts'
import type { EngineApi } from './services/engine-api.ts'
import { createEngineStarter } from './start-engine.ts'
import { App } from './ui/App.tsx'
import { loadDialogs } from './ui/dialogs/later-dialogs.ts'
import { ErrorScreen, type Obstacle } from './ui/screens/ErrorScreen.tsx'

/** One run of the app in this tab. */
interface Session {
  readonly app: AppModel
  readonly leadership: TabLeadership
}

const { hash } = location
// An invite is a secret: it leaves the address before anything else happens.
if (hash !== '') history.replaceState(history.state, '', location.pathname + location.search)
let invite = claimsInvite(hash) ? (inviteIn(hash) ?? '') : null

const obstacle = signal<Obstacle | null>(null)
const session = signal<Session | null>(null)
const world = createPageWorld(window, hash, import.meta.env['SOTTO_VERSION'] ?? '')
const startEngine = createEngineStarter(
  'trustedTypes' in window ? (window.trustedTypes as never) : undefined,
  location.href,
)

const whatIsMissing = (): Obstacle | null => {
  if (!isSecureContext) return 'insecure'
  const needed = [navigator.locks, globalThis.indexedDB, globalThis.BroadcastChannel, Promise.withResolvers]
  return needed.every((feature) => feature !== undefined) ? null : 'unsupported'
}

/** 250 ms: a tab in the background paints late or never, and its messages should not wait for that. */
const paintDeadlineMs = 250

const painted = (): Promise<void> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, paintDeadlineMs)
  })

const tabs = new BroadcastChannel('sotto-tabs')

/** 5 s: what stands in the way, mostly a full storage, the person takes away, and sees soon that it was that. */
const leadAgainMs = 5_000
const networkNotStarted = 'The network could not be started. Sotto goes on trying; reload the page if that takes long.'

/** What this tab does when it leads: the only one that has a network. */
const createLeadership = (engine: EngineApi): TabLeadership => {
  const connect = async () => {
    const { createNetwork } = await import('../signaling/peer-link.ts')
    await engine.connect(createNetwork({ environment: { window, document, navigator } }))
  }
  /** Ends with the lead it was made for; undefined while this tab does not lead. */
  let current: AbortController | undefined
  const goOn = async (own: AbortController): Promise<void> => {
    try {
      await connect()
    } catch {
      if (own.signal.aborted) return
      session.value?.app.notices.add({ message: networkNotStarted })
      setTimeout(() => own.signal.aborted || void goOn(own), leadAgainMs)
      return
    }
    session.value?.app.notices.withdraw(networkNotStarted)
    // Robbed of the lead meanwhile: what was begun must not stay, unless it is the next lead's by now.
    if (own.signal.aborted) return current ? undefined : engine.disconnect()
    await loadDialogs()
  }
  return new TabLeadership({
    locks: navigator.locks,
    channel: {
      post: (message) => tabs.postMessage(message),
      onMessage: (listener) => tabs.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => listener(data)),
    },
    tabId: crypto.randomUUID(),
    lead: () => {
      current = new AbortController()
      return goOn(current)
    },
    letGo: () => {
      current?.abort()
      current = undefined
      return engine.disconnect()
    },
  })
}

const startSession = (engine: EngineApi): Session => {
  const leadership = createLeadership(engine)
  const app = new AppModel(withLeader(engine, leadership), world, invite)
  // Used up: it must not be followed again.
  invite = null
  const run = async () => {
    await app.start()
    await painted()
    leadership.start()
  }
  void run()
  return { app, leadership }
}

const crashed = () => {
  const phase = session.value?.app.phase.value ?? 'starting'
  if (phase === 'starting') obstacle.value = 'crashed'
}

obstacle.value = whatIsMissing()
// The longest way first: the engine's worker comes up while the page is made.
const running = obstacle.value === null ? startEngine(crashed) : null

addEventListener('pagehide', () => session.value?.app.suspend())
effect(() => {
  // The leading tab may have been stopped without a word while nobody looked.
  if (world.visible.value && session.value?.app.phase.value === 'ready') void session.value.leadership.check()
})

const Root = () => {
  const { value } = session
  if (obstacle.value !== null || value === null)
    return <ErrorScreen obstacle={obstacle.value ?? 'unsupported'} onReload={world.restart} />
  return <App key={value} app={value.app} touch={world.touch} onReload={world.restart} />
}

effect(() => {
  document.title = session.value?.app.title.value ?? 'Sotto'
})

effect(() => {
  const theme = session.value?.app.settings.settings.value.theme
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset['theme'] = theme
  else if (theme === 'system') delete document.documentElement.dataset['theme']
})

addEventListener('hashchange', () => {
  const given = location.hash
  if (given === '') return
  history.replaceState(history.state, '', location.pathname + location.search)
  if (!claimsInvite(given)) return
  if (session.value === null) invite = inviteIn(given) ?? ''
  else session.value.app.offerInvite(inviteIn(given))
})

const show = () => {
  session.value = running && startSession(running.engine)
  const root = document.getElementById('app')
  if (root === null) return
  root.replaceChildren()
  render(<Root />, root)
}

// Evaluating the script and making the page are each a long task on a slow machine.
void breathe().then(show)
