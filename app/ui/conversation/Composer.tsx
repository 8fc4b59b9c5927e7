import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ComposerModel } from '../../models/composer-model.ts'
import type { Referred } from '../../models/messages-model.ts'
import { CheckIcon, CloseIcon, EditIcon, SendIcon } from '../parts/icons.tsx'
import { Quote } from './Quote.tsx'

interface Props {
  readonly composer: ComposerModel
  readonly referred: (messageId: string) => Referred
  readonly senderName: string
  /** The newest message of one's own is to come into the field. */
  readonly onEditLast: () => void
  /** Takes the focus when it appears. */
  readonly focus: boolean
}

/** What a key in the field does, if it does anything of ours. */
const actOnKey = (
  { key, shiftKey, altKey, ctrlKey, metaKey, isComposing }: KeyboardEvent,
  { editing, replyTo, text, cancelEdit, answer }: ComposerModel,
  { send, onEditLast }: { readonly send: () => void; readonly onEditLast: () => void },
): boolean => {
  // While an input method composes, its keys belong to it.
  if (isComposing || altKey || ctrlKey || metaKey) return false
  const isAside = editing.value !== null || replyTo.value !== null
  if (key === 'Enter' && !shiftKey) send()
  else if (key === 'Escape' && editing.value !== null) cancelEdit()
  else if (key === 'Escape' && replyTo.value !== null) answer(null)
  else if (key === 'ArrowUp' && text.value === '' && !isAside) onEditLast()
  else return false
  return true
}

const Problem = ({ composer }: Pick<Props, 'composer'>) => {
  const problem = composer.problem.value
  const tooLongBy = composer.tooLongBy.value
  return problem === null && tooLongBy === 0 ? null : (
    <p id="composer-problem" class="composer-problem" role="alert">
      {problem ?? `Too long by ${tooLongBy.toLocaleString()} bytes. Shorten it, or send it in parts.`}
    </p>
  )
}

const Editing = ({ composer }: Pick<Props, 'composer'>) =>
  composer.editing.value === null ? null : (
    <div class="answering">
      <p class="editing-words">
        <EditIcon />
        Editing your message
      </p>
      <button type="button" class="icon-button" aria-label="Do not edit it" onClick={composer.cancelEdit}>
        <CloseIcon />
      </button>
    </div>
  )

const Answering = ({ composer, referred, senderName }: Pick<Props, 'composer' | 'referred' | 'senderName'>) => {
  const answered = composer.replyTo.value
  if (answered === null) return null
  return (
    <div class="answering">
      <div class="quote">
        <span class="visually-hidden">In answer to </span>
        <Quote message={referred(answered)} senderName={senderName} />
      </div>
      <button type="button" class="icon-button" aria-label="Do not answer it" onClick={() => composer.answer(null)}>
        <CloseIcon />
      </button>
    </div>
  )
}

/** The field is as tall as its text, and takes the focus when it appears and when something to answer was chosen. */
const useField = (field: RefObject<HTMLTextAreaElement | null>, composer: ComposerModel, focus: boolean) => {
  const text = composer.text.value
  useLayoutEffect(() => {
    const element = field.current
    if (element === null) return
    // Collapsed first: only then does the height that the text needs show.
    element.style.height = 'auto'
    element.style.height = `${element.scrollHeight}px`
  }, [text])
  useLayoutEffect(() => {
    if (focus) field.current?.focus()
  }, [])

  // Whoever has chosen what to answer wants to write; a draft that comes back has not been chosen just now.
  const subject = composer.editing.value ?? composer.replyTo.value
  const known = useRef(subject)
  useLayoutEffect(() => {
    if (subject !== known.current) field.current?.focus()
    known.current = subject
  }, [subject])
}

/**
 * Where a message is written. Enter sends, Shift+Enter begins a new line, Escape takes back what is answered or edited, and the
 * upward arrow in the empty field edits the last message.
 */
export const Composer = ({ focus, onEditLast, ...props }: Props) => {
  const { composer } = props
  const field = useRef<HTMLTextAreaElement>(null)
  const text = composer.text.value
  const tooLongBy = composer.tooLongBy.value
  const problem = composer.problem.value
  const isEditing = composer.editing.value !== null

  useField(field, composer, focus)

  const send = () => {
    if (composer.send()) field.current?.focus()
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <Problem composer={composer} />
      <Editing composer={composer} />
      <Answering {...props} />
      <div class="composer-line">
        <textarea
          ref={field}
          class="composer-field"
          aria-label="Message"
          {...(problem !== null || tooLongBy > 0 ? { 'aria-describedby': 'composer-problem' } : {})}
          aria-invalid={tooLongBy > 0}
          placeholder="Write a message"
          rows={1}
          dir="auto"
          autocomplete="off"
          enterkeyhint="send"
          value={text}
          onInput={(event) => composer.edit(event.currentTarget.value)}
          onBlur={composer.saveDraft}
          onKeyDown={(event) => {
            if (actOnKey(event, composer, { send, onEditLast })) event.preventDefault()
          }}
        />
        <button
          type="submit"
          class="send-button"
          aria-label={isEditing ? 'Save' : 'Send'}
          disabled={!composer.canSend.value}
        >
          {isEditing ? <CheckIcon /> : <SendIcon />}
        </button>
      </div>
    </form>
  )
}
