import { useId } from 'preact/hooks'
import type { LinkModel } from '../../models/link-model.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { CameraIcon } from '../parts/icons.tsx'
import { Scanner } from './Scanner.tsx'

export interface LinkDialogProps {
  readonly link: LinkModel
  readonly onClose: () => void
}

const Problem = ({ text }: { text: string | null }) =>
  text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  )

const Entry = ({ link }: { link: LinkModel }) => {
  const fieldId = useId()
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void link.submit()
      }}
    >
      <label class="field-label" for={fieldId}>
        Link you were given
      </label>
      <input
        id={fieldId}
        class="field field-code"
        type="text"
        inputMode="url"
        autocomplete="off"
        spellcheck={false}
        placeholder="https://…/#i/…"
        value={link.text.value}
        onInput={(event) => link.edit(event.currentTarget.value)}
      />
      <Problem text={link.problem.value} />
      <div class="dialog-actions">
        <button type="button" class="button" onClick={link.scan}>
          <CameraIcon />
          Scan a code
        </button>
        <button type="submit" class="button button-strong" disabled={link.text.value.trim() === ''}>
          Open
        </button>
      </div>
    </form>
  )
}

const Asking = ({ link, onClose }: LinkDialogProps) => (
  <>
    <Problem text={link.problem.value} />
    <p class="lead">
      This invite begins a conversation with the person who made it. They will see your name, and your network address
      when you are both here.
    </p>
    <div class="dialog-actions">
      <button type="button" class="button" onClick={onClose}>
        Not now
      </button>
      <button type="button" class="button button-strong" onClick={() => void link.confirm()}>
        {link.problem.value === null ? 'Begin conversation' : 'Try again'}
      </button>
    </div>
  </>
)

/** Opening an invite: paste it, scan it, or confirm the one the page was opened with. */
export const LinkDialog = ({ link, onClose }: LinkDialogProps) => {
  const { kind } = link.state.value
  return (
    <Dialog title={kind === 'scanning' ? 'Scan a code' : 'Open an invite'} onClose={onClose}>
      {kind === 'entry' && <Entry link={link} />}
      {kind === 'scanning' && (
        <>
          <Scanner openCamera={link.openCamera} onCode={link.scanned} onFailed={link.cameraFailed} />
          <Problem text={link.problem.value} />
          <p class="hint">Hold the other person’s code in front of the camera.</p>
          <div class="dialog-actions">
            <button type="button" class="button" onClick={link.stopScanning}>
              Paste a link instead
            </button>
          </div>
        </>
      )}
      {kind === 'asking' && <Asking link={link} onClose={onClose} />}
      {kind === 'joining' && (
        <div class="invite-place" aria-busy="true">
          <span class="spinner" />
          <p class="hint">Opening the conversation…</p>
        </div>
      )}
    </Dialog>
  )
}
