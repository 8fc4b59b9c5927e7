import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
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

const groupsOf = (digits: string): readonly string[] => digits.replaceAll(/\D/g, '').match(/\d{5}/g) ?? []

/** Asks for the number. */
const read = async (engine: EngineApi, conversationId: string): Promise<SafetyState> => {
  try {
    const { digits, qr } = await engine.safetyNumber(conversationId)
    return { kind: 'ready', groups: groupsOf(digits), code: qr }
  } catch {
    return { kind: 'failed' }
  }
}

/** Codes of the other side, held against what this device knows. */
const createComparison = (engine: EngineApi, { openCamera }: Pick<World, 'openCamera'>, conversationId: string) => {
  const scanning = signal(false)
  const verdict = signal<SafetyVerdict | null>(null)
  const problem = signal<string | null>(null)
  const mismatch = computed(() => verdict.value === 'conflict' || verdict.value === 'other-people')
  let closed = false

  /** Makes room for what comes next. A mismatch stands until another code is judged. */
  const forget = () => {
    scanning.value = false
    problem.value = null
    if (!mismatch.value) verdict.value = null
  }

  /** @returns true: whatever the code is, the verdict says so. */
  const compare = async (text: string): Promise<boolean> => {
    if (closed) return true
    forget()
    try {
      verdict.value = await engine.compareSafety(conversationId, bytesOf(text))
    } catch {
      problem.value = notStored
    }
    return true
  }

  const parts = {
    /** The camera is on. */
    scanning: scanning as ReadonlySignal<boolean>,
    /** What the last code said; null while none was read. */
    verdict: verdict as ReadonlySignal<SafetyVerdict | null>,
    /** The last code does not match: nobody is to be marked as verified. */
    mismatch,
    problem: problem as ReadonlySignal<string | null>,

    scan() {
      forget()
      scanning.value = true
    },
    stopScanning: () => void (scanning.value = false),
    openCamera,
    cameraFailed(cause: unknown) {
      scanning.value = false
      problem.value = cameraProblem(cause, 'use a picture of the code')
    },
    /** A code is in sight of the camera. */
    scanned: compare,
    /** A picture was looked at; undefined: no code is in it. */
    async pictured(text: string | undefined) {
      if (text !== undefined) return void (await compare(text))
      forget()
      problem.value = noCode
    },
    /** The dialog is gone: a picture that is read only now is not compared. */
    close: () => void (closed = true),
  }
  return { parts, forget, problem }
}

/**
 * The safety number of one conversation while its dialog is open, and what came of comparing. Each opening has a model of its
 * own: an answer that comes late changes only the model that asked, which nobody looks at any more.
 */
export const SafetyModel = createModel(
  (engine: EngineApi, world: Pick<World, 'openCamera'>, conversationId: string) => {
    const state = signal<SafetyState>({ kind: 'loading' })
    const { parts, forget, problem } = createComparison(engine, world, conversationId)

    const load = async (): Promise<void> => {
      state.value = { kind: 'loading' }
      state.value = await read(engine, conversationId)
    }

    return {
      ...parts,
      state: state as ReadonlySignal<SafetyState>,
      load,

      /** The person has compared what is shown (true), or takes that back. */
      async setVerified(verified: boolean) {
        if (state.value.kind !== 'ready') return
        forget()
        try {
          if (await engine.setVerified(conversationId, verified ? state.value.code : null)) return
          await load()
          problem.value = changed
        } catch {
          problem.value = notStored
        }
      },
    }
  },
)
export interface SafetyModel extends InstanceType<typeof SafetyModel> {}
