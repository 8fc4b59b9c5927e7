import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi, SafetyVerdict } from '../services/engine-api.ts'
import { notStored } from './attempt.ts'
import { cameraProblem } from './camera-problem.ts'
import type { World } from './world.ts'

export type { SafetyVerdict }

export type SafetyState =
  | { readonly kind: 'loading' }
  /** `groups`: twelve groups of five digits; `code`: the bytes of the QR code. */
  | { readonly kind: 'ready'; readonly groups: readonly string[]; readonly code: Uint8Array }
  | { readonly kind: 'failed' }

const noCode = 'No code was found in this picture. Take it again, closer and straight from the front.'
const changed = 'Their keys have changed while this was open. Compare once more.'

/** The bytes behind a scanned code, one character each. */
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

/** The number two people compare to be sure that nobody stands between them, and what came of comparing. */
export const SafetyModel = createModel((engine: EngineApi, world: Pick<World, 'openCamera'>) => {
  const state = signal<SafetyState>({ kind: 'loading' })
  const scanning = signal(false)
  const verdict = signal<SafetyVerdict | null>(null)
  const problem = signal<string | null>(null)
  let conversationId: string | null = null

  const forget = () => {
    scanning.value = false
    verdict.value = null
    problem.value = null
  }

  const compare = async (text: string): Promise<boolean> => {
    if (conversationId === null) return true
    forget()
    try {
      verdict.value = await engine.compareSafety(conversationId, bytesOf(text))
    } catch {
      problem.value = notStored
    }
    return true
  }

  const load = async (id: string): Promise<void> => {
    conversationId = id
    forget()
    state.value = { kind: 'loading' }
    try {
      const { digits, qr } = await engine.safetyNumber(id)
      state.value = { kind: 'ready', groups: digits.replaceAll(/\D/g, '').match(/\d{5}/g) ?? [], code: qr }
    } catch {
      state.value = { kind: 'failed' }
    }
  }

  return {
    state: state as ReadonlySignal<SafetyState>,
    /** The camera is on. */
    scanning: scanning as ReadonlySignal<boolean>,
    /** What the last code said; null while none was read. */
    verdict: verdict as ReadonlySignal<SafetyVerdict | null>,
    problem: problem as ReadonlySignal<string | null>,

    load,

    scan() {
      forget()
      scanning.value = true
    },
    stopScanning() {
      scanning.value = false
    },
    openCamera: () => world.openCamera(),
    cameraFailed(cause: unknown) {
      scanning.value = false
      problem.value = cameraProblem(cause, 'use a picture of the code')
    },
    /** A code is in sight of the camera. @returns true: whatever it is, the verdict says so. */
    scanned: compare,
    /** A picture was looked at; undefined: no code is in it. */
    async pictured(text: string | undefined) {
      if (text !== undefined) await compare(text)
      else {
        forget()
        problem.value = noCode
      }
    },

    /** The person has compared what is shown (true), or takes that back. */
    async setVerified(verified: boolean) {
      if (conversationId === null || state.value.kind !== 'ready') return
      forget()
      try {
        const done = await engine.setVerified(conversationId, verified ? state.value.code : null)
        if (done) return
        await load(conversationId)
        problem.value = changed
      } catch {
        problem.value = notStored
      }
    },
  }
})
export interface SafetyModel extends InstanceType<typeof SafetyModel> {}
