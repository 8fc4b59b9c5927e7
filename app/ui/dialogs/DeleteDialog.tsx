import type { MessageView } from '../../models/messages-model.ts'
import { Dialog } from '../parts/Dialog.tsx'

export interface DeleteDialogProps {
  readonly message: MessageView
  readonly onDelete: (where: 'here' | 'everywhere') => void
  readonly onClose: () => void
}

/** Asks where a message is to be deleted. */
export const DeleteDialog = ({ message, onDelete, onClose }: DeleteDialogProps) => {
  const canEverywhere = message.mine && !message.deleted
  return (
    <Dialog title="Delete this message?" onClose={onClose}>
      <p>
        {canEverywhere
          ? 'On both devices nothing of it is left once the other one is online. It may have been read, or copied, before.'
          : 'It goes from this device. The other side keeps it.'}
      </p>
      <div class="dialog-actions dialog-actions-long">
        {canEverywhere && (
          <button type="button" class="button button-danger" onClick={() => onDelete('everywhere')}>
            Delete for both
          </button>
        )}
        <button type="button" class="button button-danger-quiet" onClick={() => onDelete('here')}>
          Delete here only
        </button>
        <button type="button" class="button" onClick={onClose}>
          Keep it
        </button>
      </div>
    </Dialog>
  )
}
