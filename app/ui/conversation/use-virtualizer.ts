import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from '@tanstack/virtual-core'
import { useLayoutEffect, useReducer, useState } from 'preact/hooks'

type Observed = 'observeElementRect' | 'observeElementOffset' | 'scrollToFn' | 'onChange'
type Options = Omit<VirtualizerOptions<HTMLElement, HTMLElement>, Observed>

/** Renders only the rows in sight of a scrolling element; the component renders again whenever that set changes. */
export const useVirtualizer = (options: Options): Virtualizer<HTMLElement, HTMLElement> => {
  const [, render] = useReducer<number, void>((count) => count + 1, 0)
  const all: VirtualizerOptions<HTMLElement, HTMLElement> = {
    ...options,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => render(),
  }
  const [virtualizer] = useState(() => new Virtualizer(all))
  virtualizer.setOptions(all)
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => virtualizer._willUpdate())
  return virtualizer
}
