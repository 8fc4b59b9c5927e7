import { signal, type Signal } from '@preact/signals'
import type { World } from './world.ts'

/** A page that exists only for a test; what the person would change outside the app is a signal here. */
export interface FixtureWorld extends World {
  readonly now: Signal<number>
  readonly visible: Signal<boolean>
  readonly active: Signal<boolean>
  readonly online: Signal<boolean>
  readonly copied: string[]
  readonly saved: string[]
  /** Presses the browser's back button. */
  goBack(): void
}

export const createFixtureWorld = (part: Partial<World> = {}): FixtureWorld => {
  const entries: unknown[] = [null]
  let moved: (state: unknown) => void = () => undefined
  const copied: string[] = []
  const saved: string[] = []
  let marked = false
  const goBack = () => {
    if (entries.length > 1) entries.pop()
    moved(entries.at(-1))
  }
  return {
    appUrl: 'https://sotto.example/',
    version: '0.1.0',
    touch: false,
    findRelays: () => Promise.resolve(['/dns/relay.example/tcp/443/tls/ws/p2p/12D3KooW']),
    copy: (text) => {
      copied.push(text)
      return Promise.resolve()
    },
    saveText: (_name, text) => void saved.push(text),
    keepStorage: () => Promise.resolve(true),
    openCamera: () => Promise.reject(new DOMException('none', 'NotFoundError')),
    restart: () => undefined,
    history: {
      state: () => entries.at(-1),
      push: (state) => entries.push(state),
      replace: (state) => (entries[entries.length - 1] = state),
      back: goBack,
      onMove: (listener) => (moved = listener),
    },
    accountMark: { isSet: () => marked, set: () => (marked = true) },
    ...part,
    now: signal(Date.now()),
    visible: signal(true),
    active: signal(true),
    online: signal(true),
    copied,
    saved,
    goBack,
  }
}
