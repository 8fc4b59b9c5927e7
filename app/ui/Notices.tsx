import type { NoticesModel } from '../models/notices-model.ts'
import { CloseIcon, WarningIcon } from './parts/icons.tsx'

/** Problems, until they are read. */
export const Notices = ({ notices }: { notices: NoticesModel }) => (
  <div class="notices" role="alert">
    {notices.notices.value.map(({ id, message }) => (
      <div class="notice" key={id}>
        <WarningIcon />
        <span>{message}</span>
        <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => notices.dismiss(id)}>
          <CloseIcon />
        </button>
      </div>
    ))}
  </div>
)
