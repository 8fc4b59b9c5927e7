import { useId } from 'preact/hooks'
import type { InviteModel } from '../../models/invite-model.ts'
import { Dialog } from '../parts/Dialog.tsx'
import { CheckIcon, CopyIcon, ShareIcon } from '../parts/icons.tsx'
import { QrCode } from '../parts/QrCode.tsx'

export interface InviteDialogProps {
  readonly invite: InviteModel
  readonly onClose: () => void
}

const copyLabels = { no: 'Copy link', yes: 'Copied', failed: 'Select and copy it by hand' } as const

const Ready = ({ invite, link }: { invite: InviteModel; link: string }) => {
  const copied = invite.copied.value
  const fieldId = useId()
  return (
    <>
      <QrCode content={link} label="The invite as a QR code" />
      <div>
        <label class="field-label" for={fieldId}>
          Invite link
        </label>
        <input
          id={fieldId}
          class="field field-code"
          type="text"
          readOnly
          value={link}
          onFocus={(event) => event.currentTarget.select()}
        />
      </div>
      <div class="dialog-actions">
        {invite.canShare.value && (
          <button type="button" class="button" onClick={() => void invite.share()}>
            <ShareIcon />
            Share
          </button>
        )}
        <button type="button" class="button button-strong" onClick={() => void invite.copy()}>
          {copied === 'yes' ? <CheckIcon /> : <CopyIcon />}
          <span aria-live="polite">{copyLabels[copied]}</span>
        </button>
      </div>
    </>
  )
}

/** A fresh invite as link and code. */
export const InviteDialog = ({ invite, onClose }: InviteDialogProps) => {
  const state = invite.state.value
  return (
    <Dialog title="Invite somebody" onClose={onClose}>
      <p class="lead">
        Whoever opens this link or scans this code can write to you. Give it only to somebody you want to hear from.
      </p>
      {state.kind === 'making' && (
        <div class="invite-place" aria-busy="true">
          <span class="spinner" />
          <p class="hint">Making an invite…</p>
        </div>
      )}
      {state.kind === 'ready' && <Ready invite={invite} link={state.link} />}
      {state.kind === 'failed' && (
        <div class="invite-place" role="alert">
          <p class="problem">{state.message}</p>
          <button type="button" class="button" onClick={() => void invite.make()}>
            Try again
          </button>
        </div>
      )}
      <p class="hint">
        It is for one person and good for 30 days: whoever opens it first becomes your contact. Make a new one for
        everybody else. The secret part follows the “#” and never reaches a server, but it may stay in the history of
        the browser that opens it.
      </p>
    </Dialog>
  )
}
