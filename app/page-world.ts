import { computed, signal, type ReadonlySignal } from '@preact/signals'
import { relaysIn } from './models/invite-address.ts'
import { discoverRelay } from './models/relay-discovery.ts'
import type { AccountMark, SessionHistory, World } from './models/world.ts'

/** 20 s: relative times are shown in minutes. */
const tickMs = 20_000

const sessionHistory = (page: Window): SessionHistory => ({
  state: () => page.history.state,
  push: (state) => page.history.pushState(state, ''),
  replace: (state) => page.history.replaceState(state, ''),
  back: () => page.history.back(),
  onMove: (listener) => page.addEventListener('popstate', (event) => listener(event.state)),
})

/** A browser that forbids it (SecurityError) or has no room for it (QuotaExceededError) goes without the mark. */
const accountMark = (page: Window): AccountMark => {
  const key = 'sotto-account'
  const ifAllowed = (act: () => boolean): boolean => {
    try {
      return act()
    } catch {
      return false
    }
  }
  return {
    isSet: () => ifAllowed(() => page.localStorage.getItem(key) !== null),
    set: () =>
      void ifAllowed(() => {
        page.localStorage.setItem(key, 'made')
        return true
      }),
  }
}

const clock = (page: Window) => {
  const now = signal(Date.now())
  page.setInterval(() => (now.value = Date.now()), tickMs)
  return now
}

const visibility = (page: Window) => {
  const visible = signal(page.document.visibilityState === 'visible')
  page.document.addEventListener(
    'visibilitychange',
    () => (visible.value = page.document.visibilityState === 'visible'),
  )
  return visible
}

/** 5 minutes without a touch: the person is away. */
const idleMs = 300_000

const touches = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const

/** Touched within the last 5 minutes, and visible. */
const activity = (page: Window, visible: ReadonlySignal<boolean>): ReadonlySignal<boolean> => {
  const touched = signal(true)
  let timer: number | undefined
  let touchedAtMs = -Infinity
  const touch = () => {
    // A moving pointer says the same sixty times a second.
    if (touched.value && performance.now() - touchedAtMs < 1_000) return
    touchedAtMs = performance.now()
    touched.value = true
    page.clearTimeout(timer)
    timer = page.setTimeout(() => (touched.value = false), idleMs)
  }
  for (const kind of touches) page.addEventListener(kind, touch, { passive: true, capture: true })
  // Whoever comes back to a tab is there, before they touch anything.
  visible.subscribe((isVisible) => isVisible && touch())
  return computed(() => visible.value && touched.value)
}

const connectivity = (page: Window) => {
  const { navigator } = page
  const online = signal(navigator.onLine)
  page.addEventListener('online', () => (online.value = true))
  page.addEventListener('offline', () => (online.value = false))
  return online
}

/** Relays by the host that serves the page; else those the address names. */
const findRelays = async (page: Window, hash: string): Promise<readonly string[]> => {
  const offered = await discoverRelay(page.fetch.bind(page), page.location)
  return offered.length > 0 ? offered : relaysIn(hash)
}

/** Long enough for a browser to take the file over. */
const savedWithinMs = 60_000

const saveText = (page: Window, name: string, text: string): void => {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }))
  const link = Object.assign(page.document.createElement('a'), { href: address, download: name })
  link.click()
  page.setTimeout(() => URL.revokeObjectURL(address), savedWithinMs)
}

/** The browser page as the models see it. `hash` is the fragment it was opened with. */
export const createPageWorld = (page: Window, hash: string, version: string): World => {
  const { navigator, location } = page
  const share = 'share' in navigator ? (url: string) => navigator.share({ url }) : undefined
  const visible = visibility(page)
  return {
    now: clock(page),
    visible,
    active: activity(page, visible),
    online: connectivity(page),
    appUrl: `${location.origin}${location.pathname}`,
    version,
    touch: page.matchMedia('(pointer: coarse)').matches,
    history: sessionHistory(page),
    accountMark: accountMark(page),
    findRelays: () => findRelays(page, hash),
    copy: (text) => navigator.clipboard.writeText(text),
    saveText: (name, text) => saveText(page, name, text),
    ...(share === undefined ? {} : { share }),
    keepStorage: () => navigator.storage.persist(),
    openCamera: () =>
      navigator.mediaDevices.getUserMedia({
        // As sharp as it gets: an invite's code is dense.
        video: { facingMode: 'environment', width: { ideal: 1_920 }, height: { ideal: 1_080 } },
        audio: false,
      }),
    restart: () => location.reload(),
  }
}
