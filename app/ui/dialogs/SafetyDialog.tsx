import type { SafetyModel } from '../../models/safety-model.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { QrCode } from '../parts/QrCode.tsx'

interface Props {
  readonly safety: SafetyModel
  readonly name: string
  readonly onClose: () => void
}

/** Sixty digits that are the same on both sides when nobody stands between. */
export const SafetyDialog = ({ safety, name, onClose }: Props) => {
  const state = safety.state.value
  return (
    <Dialog title="Safety number" onClose={onClose} focusBody>
      <p class="lead">
        Compare these digits with the ones {name} sees, side by side or in a call where you know the voice. If they are
        the same, nobody else can read along.
      </p>
      {state.kind === 'loading' && (
        <div class="safety-place" aria-busy="true">
          <span class="spinner" />
        </div>
      )}
      {state.kind === 'ready' && (
        <div class="safety-place">
          <QrCode content={state.code} label="The safety number as a QR code" />
          <ol class="digits" aria-label="Digits">
            {state.groups.map((group, index) => (
              <li key={index}>{group}</li>
            ))}
          </ol>
        </div>
      )}
      {state.kind === 'failed' && (
        <p class="problem" role="alert">
          The safety number could not be worked out. Close this and try again.
        </p>
      )}
      <p class="hint">If they differ, do not write anything private here, and tell {name} by another road.</p>
    </Dialog>
  )
}
