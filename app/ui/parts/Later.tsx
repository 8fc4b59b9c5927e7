import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { Dialog } from './Dialog.tsx'

interface Closable {
  readonly onClose: () => void
}

/**
 * A dialog whose code is loaded when it is first opened, or before by `load`: nothing else waits for it. It is one of several
 * that share a chunk. Where the code does not come, an empty dialog says so.
 */
export const later = <Props extends Closable>(title: string, load: () => Promise<ComponentType<Props>>) => {
  const loaded = signal<ComponentType<Props> | 'not yet' | 'failed'>('not yet')
  const start = async (): Promise<void> => {
    try {
      loaded.value = await load()
    } catch {
      loaded.value = 'failed'
    }
  }
  const Later = (props: Props) => {
    useEffect(() => {
      // What failed once is tried again when it is opened again.
      if (loaded.peek() === 'not yet' || loaded.peek() === 'failed') void start()
    }, [])
    const Loaded = loaded.value
    if (Loaded === 'not yet') return null
    if (Loaded !== 'failed') return <Loaded {...props} />
    return (
      <Dialog title={title} onClose={props.onClose}>
        <p>This part of Sotto could not be loaded. Check your connection, close this and open it again.</p>
      </Dialog>
    )
  }
  return Object.assign(Later, { load: start })
}
