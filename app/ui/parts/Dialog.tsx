import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { CloseIcon } from './icons.tsx'

interface Props {
  readonly title: string
  readonly onClose: () => void
  /** True where nothing inside takes the focus: the keyboard must be able to scroll it. */
  readonly focusBody?: boolean
  readonly children: ComponentChildren
}

/**
 * A modal dialog while it is mounted. The browser's own <dialog> keeps the focus inside, gives it back afterwards, and
 * closes on Escape and on a phone's back gesture.
 */
export const Dialog = ({ title, onClose, focusBody, children }: Props) => {
  const element = useRef<HTMLDialogElement>(null)
  const titleId = useId()
  useLayoutEffect(() => {
    const dialog = element.current
    dialog?.showModal()
    // The dialog itself takes the focus: its beginning is read, and no button looks chosen.
    dialog?.focus()
    // Closed before it leaves the document: only then does the focus return to where it was.
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={element}
      class="dialog"
      tabIndex={-1}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose()
      }}
    >
      <div class="dialog-sheet">
        <header class="dialog-header">
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
            <CloseIcon />
          </button>
        </header>
        <div class="dialog-body" {...(focusBody ? { tabIndex: 0 } : {})}>
          {children}
        </div>
      </div>
    </dialog>
  )
}
