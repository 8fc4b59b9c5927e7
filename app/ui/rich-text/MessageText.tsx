import { useMemo } from 'preact/hooks'
import { foldedText } from './folding.ts'
import { parseText, type Block, type Inline } from './syntax-tree.ts'

interface Props {
  readonly text: string
  /** A long message stands there whole, not only its beginning. */
  readonly unfolded: boolean
  readonly onUnfold: () => void
}

const Inlines = ({ nodes }: { nodes: readonly Inline[] }) => (
  <>
    {nodes.map((node, index) => {
      switch (node.kind) {
        case 'text':
          return node.text
        case 'code':
          return <code key={index}>{node.text}</code>
        case 'link':
          return (
            <a key={index} href={node.href} dir="ltr" target="_blank" rel="noopener noreferrer">
              {node.text}
            </a>
          )
        case 'bold':
          return (
            <strong key={index}>
              <Inlines nodes={node.children} />
            </strong>
          )
        case 'italic':
          return (
            <em key={index}>
              <Inlines nodes={node.children} />
            </em>
          )
        case 'struck':
          return (
            <s key={index}>
              <Inlines nodes={node.children} />
            </s>
          )
      }
    })}
  </>
)

const Items = ({ items }: { items: readonly (readonly Inline[])[] }) => (
  <>
    {items.map((nodes, index) => (
      <li key={index} dir="auto">
        <Inlines nodes={nodes} />
      </li>
    ))}
  </>
)

const Part = ({ block }: { block: Block }) => {
  switch (block.kind) {
    case 'paragraph':
      return (
        <p dir="auto">
          <Inlines nodes={block.children} />
        </p>
      )
    case 'quote':
      return (
        <blockquote dir="auto">
          <Inlines nodes={block.children} />
        </blockquote>
      )
    case 'code':
      return (
        <pre dir="ltr" tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      )
    case 'list':
      return (
        <ul role="list">
          <Items items={block.items} />
        </ul>
      )
    case 'numbers':
      return (
        <ol start={block.start}>
          <Items items={block.items} />
        </ol>
      )
  }
}

/** A message with its light formatting. Everything in it is text or one of the elements above, whatever was written. */
export const MessageText = ({ text, unfolded, onUnfold }: Props) => {
  const head = useMemo(() => (unfolded ? undefined : foldedText(text)), [text, unfolded])
  const blocks = useMemo(() => parseText(head ?? text), [head, text])
  const [only] = blocks
  return (
    <>
      {blocks.length === 1 && only?.kind === 'paragraph' ? (
        <span class="bubble-text">
          <Inlines nodes={only.children} />
        </span>
      ) : (
        <div class="bubble-text bubble-blocks">
          {blocks.map((block, index) => (
            <Part key={index} block={block} />
          ))}
        </div>
      )}
      {head !== undefined && (
        <button type="button" class="button-link bubble-more" onClick={onUnfold}>
          Read on
        </button>
      )}
    </>
  )
}
