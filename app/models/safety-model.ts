import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi } from '../services/engine-api.ts'

export type SafetyState =
  | { readonly kind: 'loading' }
  /** `groups`: twelve groups of five digits; `code`: the bytes of the QR code. */
  | { readonly kind: 'ready'; readonly groups: readonly string[]; readonly code: Uint8Array }
  | { readonly kind: 'failed' }

/** The number two people compare to be sure that nobody stands between them. */
export const SafetyModel = createModel((engine: EngineApi) => {
  const state = signal<SafetyState>({ kind: 'loading' })
  return {
    state: state as ReadonlySignal<SafetyState>,
    async load(conversationId: string) {
      state.value = { kind: 'loading' }
      try {
        const { digits, qr } = await engine.safetyNumber(conversationId)
        state.value = { kind: 'ready', groups: digits.replaceAll(/\D/g, '').match(/\d{5}/g) ?? [], code: qr }
      } catch {
        state.value = { kind: 'failed' }
      }
    },
  }
})
export interface SafetyModel extends InstanceType<typeof SafetyModel> {}
