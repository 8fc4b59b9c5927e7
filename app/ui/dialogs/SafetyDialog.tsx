import { useRef } from 'preact/hooks'
import type { ConversationView } from '../../models/conversations-model.ts'
import type { SafetyModel, SafetyState } from '../../models/safety-model.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { CameraIcon, PictureIcon } from '../parts/icons.tsx'
import { QrCode } from '../parts/QrCode.tsx'
import { VerifiedMark } from '../parts/VerifiedMark.tsx'
import { readPicture } from './read-code.ts'
import { SafetyVerdict } from './SafetyVerdict.tsx'
import { Scanner } from './Scanner.tsx'

export interface SafetyDialogProps {
  readonly safety: SafetyModel
  readonly name: string
  readonly verification: ConversationView['verification']
  readonly onClose: () => void
}

/** A picture of the code, for when there is no camera. */
const PictureButton = ({ safety }: Pick<SafetyDialogProps, 'safety'>) => {
  const canvas = useRef<HTMLCanvasElement>(null)
  const read = async (input: HTMLInputElement) => {
    const file = input.files?.[0]
    // The same picture chosen again is to be read again.
    input.value = ''
    if (file !== undefined && canvas.current !== null)
      await safety.pictured(await readPicture(file, canvas.current).catch(() => undefined))
  }
  return (
    <label class="button">
      <PictureIcon />
      Use a picture
      <input
        class="visually-hidden"
        type="file"
        accept="image/*"
        aria-label="Picture of the code"
        onChange={(event) => void read(event.currentTarget)}
      />
      <canvas ref={canvas} hidden />
    </label>
  )
}

const Problem = ({ text }: { text: string | null }) =>
  text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  )

const Scanning = ({ safety, name }: Pick<SafetyDialogProps, 'safety' | 'name'>) => (
  <>
    <Scanner openCamera={safety.openCamera} onCode={safety.scanned} onFailed={safety.cameraFailed} />
    <p class="hint">Hold the code on {name}’s screen in front of the camera.</p>
    <div class="dialog-actions">
      <button type="button" class="button" onClick={safety.stopScanning}>
        Back
      </button>
      <PictureButton safety={safety} />
    </div>
  </>
)

const Standing = ({ name, verification }: Pick<SafetyDialogProps, 'name' | 'verification'>) => {
  if (verification === 'verified')
    return (
      <p class="verdict verdict-good">
        <VerifiedMark verification="verified" />
        <span>You have verified {name}.</span>
      </p>
    )
  if (verification === 'changed')
    return (
      <p class="verdict verdict-warn">
        <VerifiedMark verification="changed" />
        <span>
          {name}’s keys have changed since you compared. The digits stay the same: scan the code, or ask {name} by
          another road whether the keys were replaced.
        </span>
      </p>
    )
  return (
    <p class="lead">
      Scan each other’s code, or compare the digits side by side or in a call where you know the voice. The same digits
      mean that this is {name}’s account. A matching code also means that both of you see the same keys.
    </p>
  )
}

const Digits = ({ state }: { state: Extract<SafetyState, { kind: 'ready' }> }) => (
  <div class="safety-place">
    <QrCode content={state.code} label="The safety number as a QR code" />
    <ol class="digits" aria-label="Digits">
      {state.groups.map((group, index) => (
        <li key={index}>{group}</li>
      ))}
    </ol>
  </div>
)

const Actions = ({ safety, verification }: Pick<SafetyDialogProps, 'safety' | 'verification'>) => (
  <div class="dialog-actions safety-actions">
    <button type="button" class="button" onClick={safety.scan}>
      <CameraIcon />
      Scan a code
    </button>
    <PictureButton safety={safety} />
    {verification === 'verified' && (
      <button type="button" class="button" onClick={() => void safety.setVerified(false)}>
        Not verified any more
      </button>
    )}
    {verification !== 'verified' && !safety.mismatch.value && (
      <button type="button" class="button button-strong" onClick={() => void safety.setVerified(true)}>
        Mark as verified
      </button>
    )}
  </div>
)

/** The digits and the code to compare, and what comparing them has shown. */
export const SafetyDialog = ({ safety, name, verification, onClose }: SafetyDialogProps) => {
  const state = safety.state.value
  const verdict = safety.verdict.value
  const scanning = safety.scanning.value
  return (
    <Dialog title={scanning ? 'Scan their code' : 'Safety number'} onClose={onClose} focusBody>
      {scanning ? (
        <Scanning safety={safety} name={name} />
      ) : (
        <>
          {verdict === null && <Standing name={name} verification={verification} />}
          {verdict !== null && <SafetyVerdict verdict={verdict} name={name} />}
          <Problem text={safety.problem.value} />
          {state.kind === 'loading' && (
            <div class="safety-place" aria-busy="true">
              <span class="spinner" />
            </div>
          )}
          {state.kind === 'ready' && <Digits state={state} />}
          {state.kind === 'ready' && <Actions safety={safety} verification={verification} />}
          {state.kind === 'failed' && (
            <Problem text="The safety number could not be worked out. Close this and try again." />
          )}
          <p class="hint">If they differ, do not write anything private here, and tell {name} by another road.</p>
        </>
      )}
    </Dialog>
  )
}
