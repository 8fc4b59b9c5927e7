import { effect, signal } from '@preact/signals'
import { render } from 'preact'
import { AppModel } from './models/app-model.ts'
import { claimsInvite, inviteIn } from './models/invite-address.ts'
import { TabLeadership, type TabMessage } from './models/tab-leadership.ts'
import { createPageWorld } from './page-world.ts'
import { createEngineStarter, type RunningEngine } from './start-engine.ts'
import { App } from './ui/App.tsx'
import { ElsewhereScreen } from './ui/screens/ElsewhereScreen.tsx'
import { ErrorScreen, type Obstacle } from './ui/screens/ErrorScreen.tsx'
import { StartingScreen } from './ui/screens/StartingScreen.tsx'

/** One run of the app in this tab, from becoming the leading tab to letting go. */
interface Session {
  readonly app: AppModel
  readonly running: RunningEngine
  readonly disconnect: () => Promise<void>
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

const startSession = (): Session => {
  const running = startEngine(() => {
    if (app.phase.value === 'starting') obstacle.value = 'crashed'
  })
  const app = new AppModel(running.engine, world, invite)
  // Used up: the next session of this tab must not follow it again.
  invite = null
  let disconnect = () => Promise.resolve()
  const run = async () => {
    await app.start()
    await painted()
    const { createNetwork } = await import('../signaling/peer-link.ts')
    const network = createNetwork({ environment: { window, document, navigator } })
    disconnect = () => network.stop()
    await running.engine.connect(network)
  }
  run().catch(() => app.notices.add({ message: 'The network could not be started. Reload the page to try again.' }))
  return { app, running, disconnect: () => disconnect() }
}

/** 400 ms: what is committed stays committed, so a worker that is still saying goodbye can be ended. */
const goodbyeMs = 400

const endSession = async () => {
  const ending = session.value
  if (ending === null) return
  session.value = null
  const { app, running, disconnect } = ending
  app.suspend()
  // The network may take its time to close connections; the next tab need not wait for that.
  disconnect().catch(() => undefined)
  const goodbye = new Promise<void>((resolve) => setTimeout(resolve, goodbyeMs))
  await Promise.race([running.engine.close(), goodbye]).catch(() => undefined)
  app[Symbol.dispose]()
  running.terminate()
}

const lead = (): TabLeadership => {
  const channel = new BroadcastChannel('sotto-tabs')
  const leadership = new TabLeadership({
    locks: navigator.locks,
    channel: {
      post: (message) => channel.postMessage(message),
      onMessage: (listener) =>
        channel.addEventListener('message', (event: MessageEvent<TabMessage>) => listener(event.data)),
    },
    tabId: crypto.randomUUID(),
    lead: () => void (session.value = startSession()),
    letGo: endSession,
  })
  addEventListener('pagehide', () => {
    session.value?.app.suspend()
    leadership.leave()
  })
  effect(() => {
    if (world.visible.value) void leadership.look()
  })
  void leadership.start()
  return leadership
}

obstacle.value = whatIsMissing()
const leadership = obstacle.value === null ? lead() : null

const Root = () => {
  const running = session.value
  if (obstacle.value !== null || leadership === null)
    return <ErrorScreen obstacle={obstacle.value ?? 'unsupported'} onReload={world.restart} />
  const state = leadership.state.value
  if (state === 'elsewhere' || state === 'taking')
    return <ElsewhereScreen taking={state === 'taking'} onUseHere={() => void leadership.take()} />
  return running === null ? (
    <StartingScreen />
  ) : (
    <App key={running} app={running.app} touch={world.touch} onReload={world.restart} />
  )
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

const root = document.getElementById('app')
if (root !== null) {
  root.replaceChildren()
  render(<Root />, root)
}
